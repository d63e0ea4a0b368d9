import { CLIENT_OPTIONS, type Options } from "../exec/options.ts"

const { policies: _, local: __, grants: ___, ...ofBrokers } = CLIENT_OPTIONS

/** Options of every command that acts on a broker as an operator. */
export const OPERATOR_OPTIONS = { ...ofBrokers, grant: { type: "string" } } as const

/** Those of a command's options, and no other. */
export const operatorOptions = (options: Options): Options =>
  Object.fromEntries(
    Object.keys(OPERATOR_OPTIONS).flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  )

/** The lines about them in a command's usage. */
export const OPERATOR_USAGE = `  --broker URL           the broker (or DAYPASS_BROKER)
  --grant NAME           the grant of the provider broker that gives you the right (operator)
  --source, --token-file, --token-variable, --audience, --ttl, --timeout: as in daypass exec --help
A person signs in first: daypass login --broker URL.`

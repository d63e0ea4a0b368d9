import * as z from "zod"

/** Names a secret that the operator holds, as `env:OP_CONNECT_TOKEN`. It stands in files; the secret never does. */
export type SecretReference = `env:${string}`

/**
 * The broker's own settings are not to be had through a connection: whoever writes policies is not who holds its key. Nor is
 * what a machine, a container or a cloud puts into every process of its own accord, and nobody meant for Daypass.
 */
const REFERENCE =
  /^env:(?!(?:DAYPASS|AWS|AZURE|GOOGLE|GCLOUD|GITHUB|ACTIONS|RUNNER|CI|KUBERNETES|ECS|IDENTITY|MSI|WEBSITE|APPSETTING|CONTAINER_APP|FUNCTIONS|NODE|NPM|SSH|SYSTEMD|XDG|LC)_)(?!(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|HOSTNAME|LANG|TERM|TZ|TMPDIR|MAIL|CREDENTIALS_DIRECTORY|INVOCATION_ID|JOURNAL_STREAM)$)[A-Z][A-Z0-9_]{0,127}$/

/** A connection's way to a secret of its own. A secret written in place of its name is refused, and not repeated. */
export const secretReference = z
  .string()
  .regex(
    REFERENCE,
    "a secret is named and never written here: env:NAME, for a variable or a Worker's secret of capital letters, digits and _, and none that is the broker's own or the machine's, such as DAYPASS_KEK, AWS_SECRET_ACCESS_KEY or PATH",
  )
  .transform((text): SecretReference => text as SecretReference)
  .meta({
    description: "env:NAME of a secret that the operator sets; never the secret itself.",
    pattern: REFERENCE.source,
  })

/** The variable or Worker secret that a reference names. */
export const nameOf = (reference: SecretReference): string => reference.slice("env:".length)

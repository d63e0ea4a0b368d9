import { deliveryRefused } from "../failure.ts"

/** Read alike without quotes by every reader, `docker run --env-file` among them: no shell or dotenv gives these a meaning. */
const PLAIN = /^[A-Za-z0-9_./:@%+,=-]*$/
/**
 * What readers take differently inside single quotes. python-dotenv expands `${` there and turns `\\` into one backslash;
 * it and Ruby's dotenv take a backslash before the last quote for an escape; Node and Ruby's dotenv drop carriage returns.
 */
const NOT_IN_SINGLE_QUOTES = /['\r]|\\\\|\\$|\$\{/
/** Inside double quotes, shells and Ruby's dotenv expand `$` and backquotes, and every reader has its own escapes. */
const NOT_IN_DOUBLE_QUOTES = /["$`\\\r!]/

/** A file of variables, and what a reader without quotes gets wrong. */
export interface Dotenv {
  readonly text: string
  /** Variables whose values are in quotes, which `docker run --env-file` takes for a part of the value. */
  readonly quoted: readonly string[]
}

/**
 * Writes variables as Node's `--env-file`, python-dotenv, Ruby's dotenv and a POSIX shell read them alike.
 *
 * @param ownerOf the grant of a variable, for the message
 * @throws {ActionError} `delivery_refused` for a value that no spelling holds for all of these readers
 */
export function writeDotenv(variables: ReadonlyMap<string, string>, ownerOf: (variable: string) => string): Dotenv {
  const quoted: string[] = []
  const lines = [...variables].map(([name, value]) => {
    const written = spell(value)
    if (written === null) {
      throw deliveryRefused(
        `The value of ${ownerOf(name)} for ${name} has quotes, backslashes, \`\${\` or carriage returns that readers of values.env take differently.`,
        `Deliver it as a file: add \`as: file\` to ${name} in the policy.`,
      )
    }
    if (written !== value) quoted.push(name)
    return `${name}=${written}\n`
  })
  return { text: lines.join(""), quoted }
}

/** Null when there is no spelling. */
function spell(value: string): string | null {
  if (PLAIN.test(value)) return value
  if (!NOT_IN_SINGLE_QUOTES.test(value)) return `'${value}'`
  return NOT_IN_DOUBLE_QUOTES.test(value) ? null : `"${value}"`
}

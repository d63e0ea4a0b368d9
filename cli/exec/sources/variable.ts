import type { Environment, FixedAudience, Source, Tokens } from "./source.ts"
import { isSet } from "./source.ts"
import { noToken, servesOneCommand, tokenIn } from "./token-text.ts"

/** What a CI is known by, and the variable in which it gives a job one token. */
interface OneVariable {
  readonly name: string
  readonly title: string
  isHere(environment: Environment): boolean
  readonly variable: string
  /** What to write in that CI, so that the variable is set. */
  readonly change: string
  /** How a job gets one more token, as a clause. */
  readonly another?: string
}

/** The variable that is read where a CI has no name of its own for it. */
export const DEFAULT_VARIABLE = "DAYPASS_ID_TOKEN"

/** A CI that puts the one token of a job into a variable. */
export const fromVariable = ({ name, title, isHere, variable, change, another }: OneVariable): Source => ({
  name,
  title,
  isHere,
  find: (environment) =>
    isSet(environment, variable)
      ? { ...variableTokens(environment, variable, change), alreadyUsed: servesOneCommand(another) }
      : null,
  missing: () => noToken(`This job of ${title} has no ID token: the variable ${variable} is not set.`, change),
})

/** The token in any variable. */
export function variableTokens(environment: Environment, variable: string, change: string): Tokens & FixedAudience {
  return {
    canChooseAudience: false,
    renewed: "never",
    withheld: [variable],
    next: async () => tokenIn(environment[variable] ?? "", `the variable ${variable}`, change),
  }
}

import { forLog } from "../escape.ts"
import { ActionError } from "../failure.ts"

/**
 * What the runner gives to actions alone, and not to a step with `run:` (NodeScriptActionHandler.cs, ScriptHandler.cs): its
 * own API and caches, the inputs, and the state. With the state, a command could stop the revocation in the post step.
 */
const FOR_ACTIONS = /^(?:ACTIONS_(?:RUNTIME|CACHE|RESULTS)_.*|INPUT_.*|STATE_.*|GITHUB_STATE)$/
const FOR_ID_TOKENS = /^ACTIONS_ID_TOKEN_REQUEST_/

export interface ChildVariables {
  /** The credentials' variables. */
  readonly set: ReadonlyMap<string, string>
  /** Names of variables that must not reach the command, because a tool would take other credentials from them. */
  readonly without: ReadonlySet<string>
  readonly passesIdToken: boolean
}

/** The environment of the command: the step's own, without what is for actions only, and with the credentials. */
export function childEnvironment(step: NodeJS.ProcessEnv, variables: ChildVariables): Record<string, string> {
  const replaced = new Set([...variables.set.keys()].map(upper))
  const kept = Object.entries(step).filter((entry): entry is [string, string] => {
    const name = upper(entry[0])
    if (entry[1] === undefined || FOR_ACTIONS.test(name) || replaced.has(name)) return false
    return !variables.without.has(name) && (variables.passesIdToken || !FOR_ID_TOKENS.test(name))
  })
  return Object.fromEntries([...kept, ...variables.set])
}

/** The names of the step's variables that are taken away from the command, for the log. */
export function takenAway(step: NodeJS.ProcessEnv, without: ReadonlySet<string>): readonly string[] {
  return Object.keys(step).filter((name) => step[name] !== "" && without.has(upper(name)))
}

/**
 * Refuses a variable that is set beside an AWS session and would win over it, so that the command would work with the
 * credentials of another grant.
 * @throws {ActionError} `delivery_refused`
 */
export function refuseRivals(set: ReadonlyMap<string, string>, reserved: ReadonlySet<string>, grant: string): void {
  const rival = [...set.keys()].find((name) => reserved.has(upper(name)))
  if (rival === undefined) return
  const message = `A grant sets the variable ${forLog(rival)}, which would win over the AWS session of ${grant}. Use two steps.`
  throw new ActionError("delivery_refused", message)
}

// Windows ignores the case of names, and no name that is withheld has another meaning in another case.
const upper = (name: string) => name.toUpperCase()

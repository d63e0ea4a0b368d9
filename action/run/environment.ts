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

const PROXIES = /^(?:HTTP|ALL)_PROXY$/i
const EXCEPTIONS = ["no_proxy", "NO_PROXY"]

/**
 * The environment with loopback among the exceptions of its proxy, if it has one for plain HTTP. A client would otherwise ask
 * the proxy for the action's endpoint, and show it the authorization.
 */
export function withoutProxyForLoopback(environment: Readonly<Record<string, string>>): Record<string, string> {
  const usesProxy = Object.entries(environment).some(([name, value]) => PROXIES.test(name) && value !== "")
  if (!usesProxy) return { ...environment }
  const given = Object.keys(environment).filter((name) => EXCEPTIONS.includes(name))
  const excepted = (given.length === 0 ? EXCEPTIONS : given).map((name) => {
    const others = environment[name] ?? ""
    const isCovered = others.split(/[,\s]+/).some((one) => one === "127.0.0.1" || one === "*")
    return [name, isCovered ? others : [others, "127.0.0.1"].filter((part) => part !== "").join(",")] as const
  })
  return { ...environment, ...Object.fromEntries(excepted) }
}

/** The names of the step's variables that are taken away from the command, for the log. */
export function takenAway(step: NodeJS.ProcessEnv, without: ReadonlySet<string>): readonly string[] {
  return Object.keys(step).filter((name) => step[name] !== "" && without.has(upper(name)))
}

/**
 * Refuses a variable that is set beside a credential that the command fetches, and would win over it, so that the command
 * would work with the credentials of another grant. `what`: for example `the AWS session of deploy`.
 * @throws {ActionError} `delivery_refused`
 */
export function refuseRivals(set: ReadonlyMap<string, string>, reserved: ReadonlySet<string>, what: string): void {
  const rival = [...set.keys()].find((name) => reserved.has(upper(name)))
  if (rival === undefined) return
  const message = `A grant sets the variable ${forLog(rival)}, which would win over ${what}. Use two steps.`
  throw new ActionError("delivery_refused", message)
}

// Windows ignores the case of names, and no name that is withheld has another meaning in another case.
const upper = (name: string) => name.toUpperCase()

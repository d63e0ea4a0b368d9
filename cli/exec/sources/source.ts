import type { ActionError } from "../../../action/failure.ts"
import type { JobKey } from "../../../action/key.ts"

export type Environment = Readonly<Record<string, string | undefined>>

/** A kind of job that has subject tokens. `sources.ts` lists them all. */
export interface Source {
  /** For `--source`: `gitlab`. */
  readonly name: string
  /** For people: `GitLab CI`. */
  readonly title: string
  /** Whether this is such a job. */
  isHere(environment: Environment): boolean
  /** The job's tokens; null when this job has none. */
  find(environment: Environment): Tokens | null
  /** Why such a job has no token, and what to set. */
  missing(environment: Environment): ActionError
}

/** How a job gets its tokens. */
export type Tokens = {
  /** Names of the variables from which a command could take a token. It does not get them. */
  readonly withheld: readonly string[]
} & (ChosenAudience | FixedAudience)

/** Each call gets a new token, for the audience that it asks for. */
export interface ChosenAudience {
  readonly canChooseAudience: true
  /** @throws {ActionError} `id_token_unavailable` */
  request(audience: string, timeoutMs: number): Promise<string>
}

/** The CI fixes the audience. */
export interface FixedAudience {
  readonly canChooseAudience: false
  /** `each-call`: every token is new. `sometimes`: a new one replaces the old one after minutes. `never`: the job has one. */
  readonly renewed: "each-call" | "sometimes" | "never"
  /** The key that the tokens belong to, once one was taken. Left out: the process makes one. */
  readonly key?: () => JobKey
  /** What to change when a token belongs to another key. Left out: what holds for every CI. */
  readonly alreadyUsed?: string
  /** @throws {ActionError} `id_token_unavailable` */
  next(timeoutMs: number): Promise<string>
}

/** True for a variable that is set to something. */
export const isSet = (environment: Environment, name: string): boolean => (environment[name] ?? "").trim() !== ""

import type { RevokeAnswer } from "../broker/wire/exchange.ts"
import { requestIdToken } from "./id-token.ts"
import type { Inputs } from "./inputs.ts"
import type { LeaseHome, LeaseIds } from "./lease.ts"
import type { Deadline } from "./retry.ts"
import * as runner from "./runner.ts"

/** What an exchange asks the broker for. */
export type Asked = Pick<Inputs, "broker" | "audience" | "grants" | "ttl">

/** Where the subject tokens of this job come from. */
export type SubjectTokens = BoundTokens | FixedTokens

/** A CI that gives a new token for each call, with the audience that the call asks for: the token is bound to a key. */
export interface BoundTokens {
  readonly canChooseAudience: true
  /** @throws {ActionError} `id_token_unavailable` */
  request(audience: string, timeoutMs: number): Promise<string>
}

/**
 * A CI that fixes the audience before the job starts. The source itself knows how its tokens are shown, and so makes the
 * calls.
 */
export interface FixedTokens {
  readonly canChooseAudience: false
  /** Resolves to the answer of an exchange. @throws {ActionError} */
  exchange(asked: Asked, leases: LeaseIds, deadline: Deadline): Promise<unknown>
  /** @throws {ActionError} */
  revoke(lease: string, home: LeaseHome, deadline: Deadline): Promise<Omit<RevokeAnswer, "lease">>
}

let chosen: SubjectTokens | null = null

/** Takes subject tokens from elsewhere than the runner's endpoint. */
export function takeTokensFrom(tokens: SubjectTokens): void {
  chosen = tokens
}

/**
 * The job's subject tokens: those of the runner's endpoint, unless others were chosen.
 * @throws {ActionError} `id_token_permission_missing`, `id_token_fork`, `id_token_dependabot`
 */
export async function subjectTokens(): Promise<SubjectTokens> {
  if (chosen !== null) return chosen
  const endpoint = runner.idTokenEndpoint()
  if (endpoint === null) throw (await import("./no-id-token.ts")).noIdTokenEndpoint(runner.jobFacts())
  return { canChooseAudience: true, request: (audience, timeoutMs) => requestIdToken(endpoint, audience, timeoutMs) }
}

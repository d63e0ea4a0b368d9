import type { ErrorCode } from "../broker/wire/error-codes.ts"
import type { Trace } from "../broker/wire/trace.ts"

/** What can go wrong on the action's side of the wire. The broker's own codes stand in `wire/error-codes.ts`. */
export const OWN_CODES = [
  "input_invalid",
  "id_token_permission_missing",
  "id_token_fork",
  "id_token_dependabot",
  "id_token_unavailable",
  "broker_unreachable",
  "broker_timeout",
  "broker_tls",
  "broker_redirects",
  "broker_too_old",
  "broker_failing",
  "problem_unknown",
  "answer_not_sealed",
  "answer_unusable",
  "delivery_refused",
  "runner_file_missing",
  "unexpected",
] as const

export type OwnCode = (typeof OWN_CODES)[number]
export type FailureCode = ErrorCode | OwnCode

/**
 * Whether another try may help. `quick`: what failed tends to be wrong for good (a name that does not resolve, a port
 * that refuses), so try within a second or not at all. `patient`: the other side is there and in trouble.
 */
export interface Retry {
  readonly pace: "quick" | "patient"
  /** What the other side asked for, in milliseconds. */
  readonly afterMs?: number
}

interface FailureExtra {
  readonly retry?: Retry
  readonly requestId?: string
  readonly trace?: Trace
}

/**
 * The one error that the action's rooms throw. `message` says what happened and where; `advice.ts` says what to change.
 *
 * The message never carries a token, a secret or a foreign body; a broker's `detail` is a sentence of ours.
 */
export class ActionError extends Error {
  override readonly name = "ActionError"
  readonly code: FailureCode
  readonly retry?: Retry
  /** The broker's name for the request, for its operator. */
  readonly requestId?: string
  readonly trace?: Trace

  constructor(code: FailureCode, message: string, extra: FailureExtra = {}) {
    super(message)
    this.code = code
    if (extra.retry) this.retry = extra.retry
    if (extra.requestId !== undefined) this.requestId = extra.requestId
    if (extra.trace) this.trace = extra.trace
  }
}

/**
 * Turns whatever was thrown into a failure that may be shown. Of a foreign error only its class and code are told: the
 * message of a JSON or file system error quotes what it choked on, which here can be a credential.
 */
export function toFailure(thrown: unknown): ActionError {
  if (thrown instanceof ActionError) return thrown
  const kind = thrown instanceof Error ? thrown.constructor.name : typeof thrown
  const code = thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? ` (${thrown.code})` : ""
  return new ActionError("unexpected", `The action itself failed with ${kind}${code}.`)
}

import { type ErrorCode, PROBLEMS } from "../wire/error-codes.ts"
import type { Trace } from "../wire/trace.ts"
import type { ReachedLimit } from "./policy/limits.ts"

/**
 * The only error that rooms with I/O throw. `http/problem.ts` turns it into an HTTP answer.
 *
 * `detail` is our own sentence: what happened, where, and what to change. It never contains a token, a secret, or text that
 * another server sent.
 */
export class BrokerError extends Error {
  override readonly name = "BrokerError"
  readonly code: ErrorCode
  readonly detail: string
  /** Present only for callers that own the policies it describes. */
  readonly trace?: Trace
  /** Version of the policies that refused; absent when no policy refused. */
  readonly policyVersion?: string
  /** Seconds after which a retry may succeed; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** The limit that was reached; becomes the `RateLimit` fields. */
  readonly limit?: ReachedLimit

  constructor(
    code: ErrorCode,
    detail: string,
    extra: Pick<Partial<BrokerError>, "trace" | "policyVersion" | "retryAfterSeconds" | "limit" | "cause"> = {},
  ) {
    super(`${code}: ${detail}`, extra.cause === undefined ? undefined : { cause: extra.cause })
    this.code = code
    this.detail = detail
    if (extra.trace) this.trace = extra.trace
    if (extra.policyVersion !== undefined) this.policyVersion = extra.policyVersion
    if (extra.limit) this.limit = extra.limit
    if (extra.retryAfterSeconds !== undefined) this.retryAfterSeconds = extra.retryAfterSeconds
  }

  get status(): number {
    return PROBLEMS[this.code].status
  }
}

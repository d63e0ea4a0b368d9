import type { ErrorCode } from "../broker/wire/error-codes.ts"
import type { Help } from "../broker/wire/exchange.ts"
import type { Trace } from "../broker/wire/trace.ts"

/** The codes of failures in the action. The broker's codes are in `wire/error-codes.ts`. */
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
  "broker_intercepted",
  "proxy_refused",
  "broker_too_old",
  "broker_failing",
  "problem_unknown",
  "answer_not_sealed",
  "answer_unusable",
  "delivery_refused",
  "azure_login_failed",
  "runner_file_missing",
  "runner_disk",
  "leak_found",
  "sweep_impossible",
  "unexpected",
] as const

export type OwnCode = (typeof OWN_CODES)[number]
export type FailureCode = ErrorCode | OwnCode

/**
 * Present when a retry may help. `quick`: the cause is probably permanent (a name that does not resolve, a port that
 * refuses), so retry within a second and then stop. `patient`: the other side exists and has a temporary problem.
 */
export interface Retry {
  readonly pace: "quick" | "patient"
  /** How long the other side asked to wait (`Retry-After`), in milliseconds. */
  readonly afterMs?: number
}

interface FailureExtra {
  readonly retry?: Retry
  readonly requestId?: string
  readonly trace?: Trace
  readonly change?: string
  readonly help?: Help
  readonly undecided?: boolean
}

/**
 * The one error class of the action. `message` says what happened and where; `change` or `advice.ts` says what to change.
 *
 * The message never contains a token, a secret or another server's body. The broker's `detail` is allowed: Daypass wrote it.
 */
export class ActionError extends Error {
  override readonly name = "ActionError"
  readonly code: FailureCode
  readonly retry?: Retry
  /** The broker's request id, with which its operator finds the request in the log. */
  readonly requestId?: string
  readonly trace?: Trace
  /** What to change in this very case; left out, the advice for the code counts. */
  readonly change?: string
  /** Where the organisation helps. */
  readonly help?: Help
  /** True when the broker may have acted on the request, although it did not say so. */
  readonly undecided: boolean

  constructor(code: FailureCode, message: string, extra: FailureExtra = {}) {
    super(message)
    this.code = code
    if (extra.retry) this.retry = extra.retry
    if (extra.requestId !== undefined) this.requestId = extra.requestId
    if (extra.trace) this.trace = extra.trace
    if (extra.change !== undefined) this.change = extra.change
    if (extra.help) this.help = extra.help
    this.undecided = extra.undecided ?? false
  }
}

/** Credentials that cannot be delivered as the step asks. `change`: what to do about it, if the code's advice is too general. */
export const deliveryRefused = (message: string, change?: string): ActionError =>
  new ActionError("delivery_refused", message, change === undefined ? {} : { change })

/**
 * Turns any thrown value into a failure that is safe to print. Of other errors it keeps only the class and the code: the
 * message of a JSON or file system error quotes its input, which can be a credential here.
 */
export function toFailure(thrown: unknown): ActionError {
  if (thrown instanceof ActionError) return thrown
  const kind = thrown instanceof Error ? thrown.constructor.name : typeof thrown
  const code = thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : ""
  const disk = DISK_FAULTS[code]
  if (disk !== undefined) {
    const path = thrown instanceof Error && "path" in thrown && typeof thrown.path === "string" ? ` ${thrown.path}` : ""
    return new ActionError(
      "runner_disk",
      `A file of this runner cannot be written or removed: ${disk}${path} (${code}).`,
    )
  }
  return new ActionError("unexpected", `The action itself failed with ${kind}${code === "" ? "" : ` (${code})`}.`)
}

/** Codes of the operating system for a disk or a folder that takes no file, each with the start of a clause. */
const DISK_FAULTS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only at",
  EACCES: "the runner's user may not write to",
  EPERM: "the runner's user may not write to",
  ENOENT: "there is no folder for",
  ENOTDIR: "a part of the path is not a folder:",
  EEXIST: "there is something already at",
  ELOOP: "there is a link at",
  EIO: "the disk fails at",
}

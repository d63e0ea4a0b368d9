import { BrokerError } from "../core/errors.ts"
import { type ErrorCode, PROBLEMS } from "../wire/error-codes.ts"
import { MEDIA_TYPE_PROBLEM, type Problem } from "../wire/exchange.ts"
import { setSecureHeaders } from "./secure-headers.ts"

/** Where each code has its paragraph: an identifier first, an address second (RFC 9457, section 3.1.1). */
const problemType = (code: ErrorCode) => `urn:daypass:problem:${code}`

/** What the translator answers for anything that is not one of our errors: nothing of it gets out. */
const UNEXPECTED = new BrokerError(
  "internal",
  "The broker failed in a way it should not. Tell its operator the request id.",
)

/** Seconds after which a caller may try again, where the error itself does not say. */
const DEFAULT_RETRY_AFTER_SECONDS = 2

/** The only place where an error becomes an answer (RFC 9457). */
export function problemResponse(error: unknown, requestId: string): Response {
  const fault = error instanceof BrokerError ? error : UNEXPECTED
  const { status, title } = PROBLEMS[fault.code]
  const problem: Problem = {
    type: problemType(fault.code),
    title,
    status,
    detail: fault.detail,
    code: fault.code,
    request_id: requestId,
    ...(fault.policyVersion === undefined ? {} : { policy_version: fault.policyVersion }),
    ...(fault.trace ? { trace: fault.trace } : {}),
  }
  const headers = new Headers({ "content-type": MEDIA_TYPE_PROBLEM })
  setSecureHeaders(headers, requestId)
  // RFC 6750, section 3: says which scheme is wanted, without an error that could echo the token.
  if (status === 401) headers.set("www-authenticate", "Bearer")
  const retryAfter = fault.retryAfterSeconds ?? (status === 503 ? DEFAULT_RETRY_AFTER_SECONDS : undefined)
  if (retryAfter !== undefined) headers.set("retry-after", String(retryAfter))
  return new Response(bounded(problem), { status, headers })
}

/** Well below the 256 KiB that the action reads: a denial that it cannot read says less than one without its trace. */
const MAX_PROBLEM_CHARACTERS = 192 * 1024
const MAX_DETAIL_CHARACTERS = 8 * 1024

function bounded(problem: Problem): string {
  const text = JSON.stringify(problem)
  if (text.length <= MAX_PROBLEM_CHARACTERS) return text
  const { trace: _, ...rest } = problem
  const detail = `${rest.detail.slice(0, MAX_DETAIL_CHARACTERS)} The trace is too long for one answer: ask for fewer grants.`
  return JSON.stringify({ ...rest, detail })
}

/** What the log says of an error: our code, and the class of what is behind it. Never a message from outside. */
export function faultOf(error: unknown): { code: ErrorCode; fault?: string } {
  if (!(error instanceof BrokerError)) return { code: "internal", fault: describe(error) }
  return error.cause === undefined ? { code: error.code } : { code: error.code, fault: describe(error.cause) }
}

/** The class of an error and where in our code it came from. Stack frames hold file names and lines, no values. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const frame = error.stack?.split("\n").find((line) => line.trimStart().startsWith("at "))
  return `${error.name}${frame ? ` ${frame.trim()}` : ""}`
}

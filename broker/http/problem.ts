import { BrokerError } from "../core/errors.ts"
import type { ReachedLimit } from "../core/policy/limits.ts"
import { type ErrorCode, PROBLEMS } from "../wire/error-codes.ts"
import { MEDIA_TYPE_PROBLEM, type Problem } from "../wire/exchange.ts"
import { type Answer, asResponse } from "./answer.ts"
import { setSecureHeaders } from "./secure-headers.ts"

/** The `type` of a problem: a URN that identifies the code and needs no web page (RFC 9457, section 3.1.1). */
const problemType = (code: ErrorCode) => `urn:daypass:problem:${code}`

/** The answer for every error that is not a `BrokerError`. Nothing of that error reaches the client. */
const UNEXPECTED = new BrokerError("internal", "The broker failed unexpectedly. Give its operator the request id.")

/** Seconds after which a client may retry, when the error itself has no value. */
const DEFAULT_RETRY_AFTER_SECONDS = 2

/** The error that is answered. */
export const asFault = (error: unknown): BrokerError => (error instanceof BrokerError ? error : UNEXPECTED)

/** Turns an error into an answer (RFC 9457). Only clients of other standards get another form: see `token.ts`. */
export function problemAnswer(error: unknown, requestId: string): Answer {
  const fault = asFault(error)
  const { status, title } = PROBLEMS[fault.code]
  const problem: Problem = {
    type: problemType(fault.code),
    title,
    status,
    detail: fault.detail,
    code: fault.code,
    request_id: requestId,
    ...(fault.policyVersion === undefined ? {} : { policy_version: fault.policyVersion }),
    ...(fault.help ? { help: fault.help } : {}),
    ...(fault.trace ? { trace: fault.trace } : {}),
  }
  const headers = retryHeaders(fault)
  headers.set("content-type", MEDIA_TYPE_PROBLEM)
  setSecureHeaders(headers, requestId)
  // RFC 6750, section 3: names the scheme. Leaves out the `error` attribute, which could quote the token.
  if (status === 401) headers.set("www-authenticate", "Bearer")
  return { status, headers, body: withinSizeLimit(problem) }
}

/** The same, in the form of fetch. */
export const problemResponse = (error: unknown, requestId: string): Response =>
  asResponse(problemAnswer(error, requestId))

/** What tells a client when to retry, for every form of an error. */
export function retryHeaders({ status, retryAfterSeconds, limit }: BrokerError): Map<string, string> {
  const headers = new Map<string, string>()
  const retryAfter = retryAfterSeconds ?? (status === 503 ? DEFAULT_RETRY_AFTER_SECONDS : undefined)
  if (retryAfter !== undefined) headers.set("retry-after", String(retryAfter))
  if (limit) setRateLimit(headers, limit)
  return headers
}

/**
 * The fields of draft-ietf-httpapi-ratelimit-headers-09: lists of structured fields (RFC 9651), one member for the limit that
 * was reached. Open leases have no window and no time at which all of them are over.
 */
function setRateLimit(headers: Map<string, string>, { name, max, retryAfterSeconds }: ReachedLimit): void {
  const isWindow = name === "exchanges_per_minute"
  headers.set("ratelimit-policy", `"${name}";q=${max}${isWindow ? ";w=60" : ""}`)
  headers.set("ratelimit", `"${name}";r=0${isWindow ? `;t=${retryAfterSeconds}` : ""}`)
}

/** Well below the 4 MiB that the action reads: a denial without its trace is better than one that a client cannot read. */
const MAX_PROBLEM_CHARACTERS = 192 * 1024
const MAX_DETAIL_CHARACTERS = 8 * 1024

function withinSizeLimit(problem: Problem): string {
  const text = JSON.stringify(problem)
  if (text.length <= MAX_PROBLEM_CHARACTERS) return text
  const { trace: _, ...rest } = problem
  const detail = `${rest.detail.slice(0, MAX_DETAIL_CHARACTERS)} The trace is left out because it is too long. Request fewer grants to see it.`
  return JSON.stringify({ ...rest, detail })
}

/**
 * What the log says about an error: its code, and the class of its cause; for wrong settings, the sentence that says which.
 * Never another system's message.
 */
export function faultOf(error: unknown): { code: ErrorCode; fault?: string } {
  if (!(error instanceof BrokerError)) return { code: "internal", fault: describe(error) }
  if (error.code === "configuration_invalid") return { code: error.code, fault: error.detail }
  return error.cause === undefined ? { code: error.code } : { code: error.code, fault: describe(error.cause) }
}

/** The class of an error and its place in the code. Stack frames contain file names and lines, and no values. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const frame = error.stack?.split("\n").find((line) => line.trimStart().startsWith("at "))
  return `${error.name}${frame ? ` ${frame.trim()}` : ""}`
}

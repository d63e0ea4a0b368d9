import { type ErrorCode, PROBLEMS } from "../broker/wire/error-codes.ts"
import { MEDIA_TYPE_PROBLEM } from "../broker/wire/exchange.ts"
import { denialOf } from "./denial.ts"
import { ActionError, type FailureCode, type Retry } from "./failure.ts"
import { type HttpReply, typeOf } from "./http.ts"
import type { HttpFailure, HttpFault } from "./http-failure.ts"
import { parseJson } from "./json.ts"
import { readProblem } from "./problem.ts"
import { proxyRefused } from "./proxy.ts"

/** Why the broker refused: what an answer other than 2xx says. */
export function refusalIn(broker: string, reply: HttpReply): ActionError {
  const problem = reply.mediaType === MEDIA_TYPE_PROBLEM ? readProblem(parseJson(reply.body)) : null
  const retry = retryOf(reply, problem?.code)
  if (problem === null) return unexpectedReply(broker, reply, retry)
  if (problem.code === "request_malformed" && UNKNOWN_MEMBER.test(problem.detail)) {
    const message = `The broker at ${broker} is older than this action: it does not know all members of the request.`
    return new ActionError("broker_too_old", message)
  }
  const { trace, help } = problem
  const denial = trace && denialOf(trace)
  return new ActionError(knownCode(problem.code), denial?.message ?? problemMessage(problem), {
    ...(retry && { retry }),
    undecided: UNDECIDED_CODES.has(problem.code),
    ...(problem.request_id !== "" && { requestId: problem.request_id }),
    ...(trace && { trace }),
    ...(denial && { change: denial.change }),
    ...(help && { help }),
  })
}

/** Codes after which the exchange may still have minted: an earlier copy of the request was served, or the broker failed. */
const UNDECIDED_CODES: ReadonlySet<string> = new Set(["token_already_used", "lease_taken", "internal"])

/** How every broker says that it does not know a member. The action sends none that a broker of its age does not know. */
const UNKNOWN_MEMBER = /\bhas an unknown member\b/

/** Why there is no answer. */
export function unreachable(broker: string, failure: HttpFailure): ActionError {
  if (failure.proxy !== undefined) return proxyRefused(failure, `the broker at ${broker}`)
  const [code, what] = TRANSPORT[failure.fault]
  return new ActionError(code, `The broker at ${broker} ${what}.`, {
    ...(failure.retry && { retry: failure.retry }),
    undecided: UNDECIDED_FAULTS.has(failure.fault),
  })
}

/** The request was sent, and its answer did not arrive as a whole. */
const UNDECIDED_FAULTS: ReadonlySet<HttpFault> = new Set(["reset", "timeout", "too-large"])

const TRANSPORT: Readonly<Record<HttpFault, readonly [FailureCode, string]>> = {
  "unknown-host": ["broker_unreachable", "cannot be reached: its host name does not resolve"],
  refused: ["broker_unreachable", "cannot be reached: the connection was refused"],
  reset: ["broker_unreachable", "cannot be reached: the connection broke"],
  timeout: ["broker_timeout", "did not answer in time"],
  unconnected: ["broker_timeout", "did not answer in time"],
  tls: ["broker_tls", "has a certificate that this runner does not trust, or does not use TLS"],
  redirect: ["broker_redirects", "redirects to another address"],
  "too-large": ["answer_unusable", "sent an answer above the size limit of 4 MiB"],
  "not-http": ["answer_unusable", "does not speak HTTP"],
  "proxy-refused": ["proxy_refused", "cannot be reached through the proxy"],
  "proxy-down": ["proxy_refused", "cannot be reached through the proxy"],
}

/** Why an answer of the right status is not that of an exchange. */
export function notSealed(broker: string, reply: HttpReply): ActionError {
  if (reply.mediaType !== "application/json") return intercepted(broker, reply)
  const message = `The broker at ${broker} did not encrypt its answer to the job's key.`
  return new ActionError("answer_not_sealed", message, { undecided: true })
}

function unexpectedReply(broker: string, reply: HttpReply, retry: Retry | undefined): ActionError {
  const { status } = reply
  if (status === 404 || status === 405) {
    return new ActionError(
      "broker_too_old",
      `The server at ${broker} is not a Daypass broker, or an older one (HTTP ${status}).`,
    )
  }
  if (status < 500 && status !== 429) return intercepted(broker, reply)
  const message = `The broker at ${broker}, or a proxy in front of it, answered HTTP ${status} without an error code.`
  // A proxy that gives up on a broker has sent it the request. One that refuses has not.
  return new ActionError("broker_failing", message, { ...(retry && { retry }), undecided: status >= 500 })
}

/** The answer has a form that no broker sends. */
export function intercepted(broker: string, reply: HttpReply): ActionError {
  const message = `Something other than the broker answered at ${broker}: HTTP ${reply.status} with ${typeOf(reply)}, as a portal or a proxy in between does.`
  // A proxy that replaced an answer may have passed the request on. One that refuses has not.
  return new ActionError("broker_intercepted", message, { undecided: reply.status < 300 })
}

/** A retry may help after congestion or an outage. A denial is final: the same request gets the same answer. */
function retryOf(reply: HttpReply, code: string | undefined): Retry | undefined {
  const again =
    reply.status === 429 ||
    reply.status === 503 ||
    reply.status === 504 ||
    (reply.status === 502 && (code === "provider_unavailable" || code === "provider_throttled")) ||
    (reply.status >= 500 && code === undefined)
  if (!again) return undefined
  const afterMs = retryAfterMs(reply.retryAfter, Date.now())
  return { pace: "patient", ...(afterMs !== null && { afterMs }) }
}

/** RFC 9110 section 10.2.3: whole seconds, or a date. */
function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null
  if (/^[0-9]{1,6}$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? null : Math.max(0, date - now)
}

function knownCode(code: string): ErrorCode | "problem_unknown" {
  return Object.hasOwn(PROBLEMS, code) ? (code as ErrorCode) : "problem_unknown"
}

/** The broker's sentence. It starts with the code when this version does not know that code. */
function problemMessage({ code, detail }: { readonly code: string; readonly detail: string }): string {
  const said = detail.trim()
  const known = Object.hasOwn(PROBLEMS, code) && said !== ""
  const sentence = known ? said : `The broker refused with ${code}${said === "" ? "" : `: ${said}`}`
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`
}

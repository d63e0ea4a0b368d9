import type * as z from "zod"
import { BrokerError } from "../core/errors.ts"
import { jsonOfUtf8 } from "../core/utf8.ts"
import { HttpError, type HttpFailure, type HttpRequest, type HttpResponse } from "../ports/http.ts"
import type { CallIo } from "./provider.ts"

/** The vendor's service that a provider calls, for error messages: `Google STS` for the connection `gcp-prod`. */
export interface OtherSide {
  readonly name: string
  readonly connection: string
  /** Sentences that explain a redirect of this service, and what to change. */
  readonly redirects?: string
}

/** A request without its limits, which `call` adds. */
export type Call = Omit<HttpRequest, "timeoutMs" | "maxBytes"> & {
  /** The largest answer, in bytes; 64 KiB when left out. */
  readonly maxBytes?: number
}

const CALL_TIMEOUT_MS = 8_000
const MAX_RESPONSE_BYTES = 64 * 1024

/**
 * Sends one request and returns the answer, for any status. Never retries.
 *
 * @throws {BrokerError} `provider_unavailable` when no answer arrives, `provider_response_invalid` for an answer that is
 *   too
 *   large or a redirect
 */
export async function call(side: OtherSide, request: Call, io: CallIo): Promise<HttpResponse> {
  const timeoutMs = Math.max(1, Math.min(CALL_TIMEOUT_MS, io.remainingMs()))
  try {
    return await io.http({ maxBytes: MAX_RESPONSE_BYTES, ...request, timeoutMs })
  } catch (error) {
    throw error instanceof HttpError ? readHttpFailure(side, error.reason) : error
  }
}

/** The error for a request without a usable answer. */
export function readHttpFailure(side: OtherSide, reason: HttpFailure): BrokerError {
  if (reason === "redirect" && side.redirects !== undefined) {
    const message = `${side.name} answered connection ${side.connection} with a redirect, which is never followed. ${side.redirects}`
    return new BrokerError("provider_response_invalid", message)
  }
  if (reason === "too-large" || reason === "redirect") {
    const message = `${side.name} answered connection ${side.connection} in an unexpected way (${reason}). Check the URL of the connection.`
    return new BrokerError("provider_response_invalid", message)
  }
  return unavailable(side, `cannot be reached for connection ${side.connection} (${reason})`)
}

/**
 * The error for throttling or a server failure, which are transient; null when the answer is neither. Checked before
 * refusals, because a transient failure is worth a retry.
 */
export function transientFailure(
  side: OtherSide,
  { status, header }: Pick<HttpResponse, "status" | "header">,
): BrokerError | null {
  if (status === 429) return throttled(side, retryAfter(header("retry-after")))
  if (status >= 500) return unavailable(side, `failed for connection ${side.connection} (HTTP ${status})`)
  return null
}

/** A final refusal. `remedy` says what to change. It is our own text and never contains text from the other side. */
export const denied = (side: OtherSide, remedy: string): BrokerError =>
  new BrokerError("provider_denied", `${side.name} refused connection ${side.connection}. ${sentence(remedy)}`)

/** `what` follows the service's name, for example `cannot be reached for connection prod`. */
export const unavailable = (side: OtherSide, what: string): BrokerError =>
  new BrokerError("provider_unavailable", `${side.name} ${what}.`)

export const throttled = (side: OtherSide, retryAfterSeconds?: number): BrokerError =>
  new BrokerError(
    "provider_throttled",
    `${side.name} is throttling connection ${side.connection}. Try again later, or ask for fewer credentials at a time.`,
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
  )

/** `what` follows "the answer", for example `lacks the token`. */
export const invalid = (side: OtherSide, what: string): BrokerError =>
  new BrokerError(
    "provider_response_invalid",
    `${side.name}'s answer for connection ${side.connection} ${what}. No credential was handed out.`,
  )

/**
 * The body as JSON that fits the schema. Unknown members are ignored, because services add them.
 *
 * @throws {BrokerError} `provider_response_invalid`; `what` names the expected contents
 */
export function readJson<Schema extends z.ZodType>(
  side: OtherSide,
  response: Pick<HttpResponse, "body">,
  schema: Schema,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(jsonOf(response))
  if (!parsed.success) throw invalid(side, `is not ${what}`)
  return parsed.data
}

/** The body as JSON, to distinguish refusals; undefined, which is no JSON value, when the body is not JSON. */
export function jsonOf({ body }: Pick<HttpResponse, "body">): unknown {
  return jsonOfUtf8(body)
}

/** Whole seconds (RFC 9110 section 10.2.3), at most an hour; the form with a date is ignored. */
function retryAfter(text: string | null): number | undefined {
  return text !== null && /^[0-9]{1,6}$/.test(text) ? Math.min(3_600, Math.max(1, Number(text))) : undefined
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`

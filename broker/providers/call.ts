import type * as z from "zod"
import { BrokerError } from "../core/errors.ts"
import { HttpError, type HttpFailure, type HttpRequest, type HttpResponse } from "../ports/http.ts"
import { textOfUtf8 } from "./bytes.ts"
import type { ProviderIo } from "./provider.ts"

/** Who is asked, for errors that name it: `Google STS` for the connection `gcp-prod`. */
export interface OtherSide {
  readonly name: string
  readonly connection: string
  /** What it means when this side redirects, and what to change: sentences. */
  readonly redirects?: string
}

/** A request, without the bounds that `call` gives it. */
export type Call = Omit<HttpRequest, "timeoutMs" | "maxBytes"> & {
  /** The largest answer, in bytes; 64 KiB when left out. */
  readonly maxBytes?: number
}

const CALL_TIMEOUT_MS = 8_000
const MAX_RESPONSE_BYTES = 64 * 1024

/**
 * Sends one request and answers whatever came, whatever its status. Never retries.
 *
 * @throws {BrokerError} `provider_unavailable` when nothing came, `provider_response_invalid` for an answer that is too
 *   large or points elsewhere
 */
export async function call(side: OtherSide, request: Call, io: ProviderIo): Promise<HttpResponse> {
  const timeoutMs = Math.max(1, Math.min(CALL_TIMEOUT_MS, io.remainingMs()))
  try {
    return await io.http({ maxBytes: MAX_RESPONSE_BYTES, ...request, timeoutMs })
  } catch (error) {
    throw error instanceof HttpError ? readHttpFailure(side, error.reason) : error
  }
}

/** What a request that got no answer means. */
export function readHttpFailure(side: OtherSide, reason: HttpFailure): BrokerError {
  if (reason === "redirect" && side.redirects !== undefined) {
    const message = `${side.name} answered connection ${side.connection} with a redirect, and none is followed. ${side.redirects}`
    return new BrokerError("provider_response_invalid", message)
  }
  if (reason === "too-large" || reason === "redirect") {
    const message = `${side.name} answered connection ${side.connection} in a way that it never does (${reason}). Check where the connection points.`
    return new BrokerError("provider_response_invalid", message)
  }
  return unavailable(side, `cannot be reached for connection ${side.connection} (${reason})`)
}

/**
 * Throttling and failures of the other side's own, which pass; null when the answer is neither. Read before an answer's
 * refusals: what passes is worth another try.
 */
export function passingFailure(
  side: OtherSide,
  { status, header }: Pick<HttpResponse, "status" | "header">,
): BrokerError | null {
  if (status === 429) return throttled(side, retryAfter(header("retry-after")))
  if (status >= 500) return unavailable(side, `failed for connection ${side.connection} (HTTP ${status})`)
  return null
}

/** Refuses for good. `remedy` says what to change, and is ours alone: nothing that the other side wrote goes into it. */
export const denied = (side: OtherSide, remedy: string): BrokerError =>
  new BrokerError("provider_denied", `${side.name} refused connection ${side.connection}. ${sentence(remedy)}`)

/** `what` goes on after the other side's name, as `cannot be reached for connection prod`. */
export const unavailable = (side: OtherSide, what: string): BrokerError =>
  new BrokerError("provider_unavailable", `${side.name} ${what}.`)

export const throttled = (side: OtherSide, retryAfterSeconds?: number): BrokerError =>
  new BrokerError(
    "provider_throttled",
    `${side.name} is throttling connection ${side.connection}. Try again later, or ask for fewer credentials at a time.`,
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
  )

/** `what` goes on after "the answer", as `lacks the token`. */
export const invalid = (side: OtherSide, what: string): BrokerError =>
  new BrokerError(
    "provider_response_invalid",
    `${side.name}'s answer for connection ${side.connection} ${what}. Nothing of it was handed out.`,
  )

/**
 * The body as JSON of this form. Members that the schema does not name are passed over: services add them.
 *
 * @throws {BrokerError} `provider_response_invalid`; `what` names what was to be read
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

/** The body as JSON, to tell refusals apart by; undefined, which JSON has not, when it is none. */
export function jsonOf({ body }: Pick<HttpResponse, "body">): unknown {
  try {
    return JSON.parse(textOfUtf8(body) ?? "")
  } catch {
    return undefined
  }
}

/** Whole seconds (RFC 9110 section 10.2.3), at most an hour; a date there is passed over. */
function retryAfter(text: string | null): number | undefined {
  return text !== null && /^[0-9]{1,6}$/.test(text) ? Math.min(3_600, Math.max(1, Number(text))) : undefined
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, "")}.`

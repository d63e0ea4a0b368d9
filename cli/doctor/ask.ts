import { fail, ok, type Result } from "../../broker/core/result.ts"
import { HttpError, type HttpFailure, type HttpResponse } from "../../broker/ports/http.ts"
import type { CliIo } from "../io.ts"

const TIMEOUT_MS = 15_000
/** A broker's public documents have a few KiB. */
const MAX_BYTES = 256 * 1024

/** An answer, and when this machine asked for it and got it. */
export interface Got {
  readonly response: HttpResponse
  readonly askedAt: number
  readonly gotAt: number
}

/** Asks for a public document. The fault ends a sentence that begins with the address. */
export async function get(url: string, io: Pick<CliIo, "http" | "now">): Promise<Result<Got, string>> {
  const askedAt = io.now().getTime()
  try {
    const headers = { accept: "application/json" }
    const response = await io.http({ method: "GET", url, headers, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES })
    return ok({ response, askedAt, gotAt: io.now().getTime() })
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    const code = error.cause instanceof Error ? error.cause.message : ""
    return fail(error.reason === "unreachable" ? (UNREACHABLE[code] ?? unknown(code)) : FAILURES[error.reason])
  }
}

/** The same for a JSON object. */
export async function getObject(url: string, io: Pick<CliIo, "http" | "now">): Promise<Result<JsonObject, string>> {
  const got = await get(url, io)
  if (!got.ok) return got
  const { status } = got.value.response
  if (status !== 200) return fail(`answers HTTP ${status}`)
  const object = objectIn(got.value.response)
  return object === null ? fail("does not answer with a JSON object") : ok(object)
}

export type JsonObject = Readonly<Record<string, unknown>>

/** The JSON object of an answer; null for anything else. */
export function objectIn({ body }: Pick<HttpResponse, "body">): JsonObject | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body))
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null
  } catch {
    return null
  }
}

const FAILURES: Readonly<Record<Exclude<HttpFailure, "unreachable">, string>> = {
  timeout: `does not answer within ${TIMEOUT_MS / 1000} s. Look at the proxies before the broker, and at its log`,
  "too-large": "sends much more than a broker does. Check the URL",
  redirect:
    "redirects. Neither clients nor clouds follow: give jobs and clouds the address at which the broker itself answers",
}

/** Codes of Node and of OpenSSL. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  __proto__: null as never,
  ENOTFOUND: "has no address. Make the DNS record of its host, or correct the URL",
  EAI_AGAIN: "cannot be looked up: this machine's DNS does not answer",
  ECONNREFUSED: "refuses connections. Nothing listens there: start the broker, or correct host and port",
  ECONNRESET: "closes the connection. Look at the proxies before the broker",
  ENETUNREACH: "cannot be reached from this network",
  EHOSTUNREACH: "cannot be reached from this network",
  CERT_HAS_EXPIRED: "shows a certificate that has expired. Renew it",
  ERR_TLS_CERT_ALTNAME_INVALID: "shows a certificate for another host",
  DEPTH_ZERO_SELF_SIGNED_CERT: "shows a certificate that it has signed itself, which no cloud accepts",
  SELF_SIGNED_CERT_IN_CHAIN: "shows a certificate of an authority that this machine does not know",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "shows a certificate of an authority that this machine does not know",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "shows its certificate without those in between. Serve the whole chain",
}

const unknown = (code: string) => `cannot be reached${code === "" ? "" : ` (${code})`}`

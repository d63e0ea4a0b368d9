import { BrokerError } from "../core/errors.ts"
import type { Incoming } from "./incoming.ts"
import { BODY_TIMEOUT_MS, MAX_BODY_BYTES, MAX_FORM_BYTES, tooLarge } from "./limits.ts"

/**
 * Reads a JSON body in UTF-8, within a size limit and a time limit.
 *
 * @throws {BrokerError} `media_type_unsupported`, `request_too_large`, `request_malformed`
 */
export async function readJson(request: Incoming): Promise<unknown> {
  return parseJson(await readJsonBytes(request, MAX_BODY_BYTES))
}

/**
 * Reads a body that says that it is JSON, for a signature over its bytes. At most `limit` bytes.
 *
 * @throws {BrokerError} `media_type_unsupported`, `request_too_large`, `request_malformed`
 */
export async function readJsonBytes(request: Incoming, limit: number): Promise<Uint8Array> {
  if (mediaTypeOf(request) !== "application/json") {
    throw new BrokerError("media_type_unsupported", "Send the request as JSON, with `Content-Type: application/json`.")
  }
  return await readBounded(request, limit)
}

/** Parses JSON in UTF-8. @throws {BrokerError} `request_malformed` */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decode(bytes))
  } catch {
    throw new BrokerError("request_malformed", "The request's body is not JSON in UTF-8.")
  }
}

/**
 * Reads the body of a form (`application/x-www-form-urlencoded`), within the limits for a body with a subject token.
 *
 * @throws {BrokerError} as `readJson`
 */
export async function readForm(request: Incoming): Promise<URLSearchParams> {
  if (mediaTypeOf(request) !== "application/x-www-form-urlencoded") {
    const message = "Send the request as a form, with `Content-Type: application/x-www-form-urlencoded`."
    throw new BrokerError("media_type_unsupported", message)
  }
  const bytes = await readBounded(request, MAX_FORM_BYTES)
  try {
    return new URLSearchParams(decode(bytes))
  } catch {
    throw new BrokerError("request_malformed", "The request's body is not a form in UTF-8.")
  }
}

const mediaTypeOf = (request: Incoming) => request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase()

const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)

async function readBounded(request: Incoming, limit: number): Promise<Uint8Array> {
  const stated = request.headers.get("content-length")
  if (stated !== null && Number(stated) > limit) throw tooLarge(limit)
  try {
    return await withTimeout(request.read(limit))
  } catch (error) {
    throw error instanceof BrokerError
      ? error
      : new BrokerError("request_malformed", "The request's body ended early: the connection broke.")
  }
}

async function withTimeout<Value>(reading: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tooLate = new Promise<never>((_, reject) => {
    const late = () =>
      reject(
        new BrokerError(
          "request_malformed",
          `The request's body did not arrive within ${BODY_TIMEOUT_MS / 1000} seconds.`,
        ),
      )
    timer = setTimeout(late, BODY_TIMEOUT_MS)
  })
  try {
    return await Promise.race([reading, tooLate])
  } finally {
    if (timer !== undefined) clearTimeout(timer)
  }
}

import { BrokerError } from "../core/errors.ts"
import { BODY_TIMEOUT_MS, MAX_BODY_BYTES, MAX_FORM_BYTES } from "./limits.ts"

const tooLarge = (limit: number) =>
  new BrokerError("request_too_large", `The request's body is too large. The limit is ${limit} bytes.`)

/**
 * Reads a JSON body in UTF-8, within a size limit and a time limit.
 *
 * @throws {BrokerError} `media_type_unsupported`, `request_too_large`, `request_malformed`
 */
export async function readJson(request: Request): Promise<unknown> {
  if (mediaTypeOf(request) !== "application/json") {
    throw new BrokerError("media_type_unsupported", "Send the request as JSON, with `Content-Type: application/json`.")
  }
  const bytes = await readBounded(request, MAX_BODY_BYTES)
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
export async function readForm(request: Request): Promise<URLSearchParams> {
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

const mediaTypeOf = (request: Request) => request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase()

const decode = (bytes: Uint8Array) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)

/** Trusts a stated length, because the server's HTTP parser enforces it. Without one, counts the bytes while reading. */
async function readBounded(request: Request, limit: number): Promise<Uint8Array> {
  const stated = request.headers.get("content-length")
  if (stated !== null && Number(stated) > limit) throw tooLarge(limit)
  try {
    return await withTimeout(
      stated === null ? readCounting(request, limit) : request.arrayBuffer().then((buffer) => new Uint8Array(buffer)),
    )
  } catch (error) {
    throw error instanceof BrokerError
      ? error
      : new BrokerError("request_malformed", "The request's body ended early: the connection broke.")
  }
}

async function readCounting(request: Request, limit: number): Promise<Uint8Array> {
  const whole = new Uint8Array(limit)
  let size = 0
  for await (const chunk of request.body ?? []) {
    // Leaving the loop cancels the stream, so no further bytes are read.
    if (size + chunk.length > limit) throw tooLarge(limit)
    whole.set(chunk, size)
    size += chunk.length
  }
  return whole.subarray(0, size)
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

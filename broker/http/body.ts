import { BrokerError } from "../core/errors.ts"
import { BODY_TIMEOUT_MS, MAX_BODY_BYTES } from "./limits.ts"

const tooLarge = () =>
  new BrokerError("request_too_large", `The request's body is too large. The limit is ${MAX_BODY_BYTES} bytes.`)

/**
 * Reads a JSON body in UTF-8, within a size limit and a time limit.
 *
 * @throws {BrokerError} `media_type_unsupported`, `request_too_large`, `request_malformed`
 */
export async function readJson(request: Request): Promise<unknown> {
  const mediaType = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase()
  if (mediaType !== "application/json") {
    throw new BrokerError("media_type_unsupported", "Send the request as JSON, with `Content-Type: application/json`.")
  }
  const bytes = await readBounded(request)
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    throw new BrokerError("request_malformed", "The request's body is not JSON in UTF-8.")
  }
}

/** Trusts a stated length, because the server's HTTP parser enforces it. Without one, counts the bytes while reading. */
async function readBounded(request: Request): Promise<Uint8Array> {
  const stated = request.headers.get("content-length")
  if (stated !== null && Number(stated) > MAX_BODY_BYTES) throw tooLarge()
  try {
    return await withTimeout(
      stated === null ? readCounting(request) : request.arrayBuffer().then((buffer) => new Uint8Array(buffer)),
    )
  } catch (error) {
    throw error instanceof BrokerError
      ? error
      : new BrokerError("request_malformed", "The request's body ended early: the connection broke.")
  }
}

async function readCounting(request: Request): Promise<Uint8Array> {
  const whole = new Uint8Array(MAX_BODY_BYTES)
  let size = 0
  for await (const chunk of request.body ?? []) {
    // Leaving the loop cancels the stream, so no further bytes are read.
    if (size + chunk.length > MAX_BODY_BYTES) throw tooLarge()
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

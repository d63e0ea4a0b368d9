import { BrokerError } from "../core/errors.ts"
import { BODY_TIMEOUT_MS, MAX_BODY_BYTES } from "./limits.ts"

const tooLarge = () => new BrokerError("request_too_large", `A request's body has at most ${MAX_BODY_BYTES} bytes.`)

/**
 * Reads a JSON body under a cap of size and time, and refuses what is no JSON object in UTF-8.
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

/** A body whose length is stated is as long as that: the server's HTTP parser sees to it. Any other is counted as it comes. */
async function readBounded(request: Request): Promise<Uint8Array> {
  const stated = request.headers.get("content-length")
  if (stated !== null && Number(stated) > MAX_BODY_BYTES) throw tooLarge()
  try {
    return await inTime(
      stated === null ? readCounting(request) : request.arrayBuffer().then((buffer) => new Uint8Array(buffer)),
    )
  } catch (error) {
    throw error instanceof BrokerError ? error : new BrokerError("request_malformed", "The request's body broke off.")
  }
}

async function readCounting(request: Request): Promise<Uint8Array> {
  const whole = new Uint8Array(MAX_BODY_BYTES)
  let size = 0
  for await (const chunk of request.body ?? []) {
    // Leaving the loop cancels the stream: nothing more of it is taken in.
    if (size + chunk.length > MAX_BODY_BYTES) throw tooLarge()
    whole.set(chunk, size)
    size += chunk.length
  }
  return whole.subarray(0, size)
}

async function inTime<Value>(reading: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const tooLate = new Promise<never>((_, reject) => {
    const late = () => reject(new BrokerError("request_malformed", "The request's body did not arrive in time."))
    timer = setTimeout(late, BODY_TIMEOUT_MS)
  })
  try {
    return await Promise.race([reading, tooLate])
  } finally {
    if (timer !== undefined) clearTimeout(timer)
  }
}

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
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge()
  const bytes = await readCapped(request)
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    throw new BrokerError("request_malformed", "The request's body is not JSON in UTF-8.")
  }
}

async function readCapped(request: Request): Promise<Uint8Array> {
  const reader = request.body?.getReader()
  if (!reader) return new Uint8Array()
  let timer: ReturnType<typeof setTimeout> | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new BrokerError("request_malformed", "The request's body did not arrive in time.")),
      BODY_TIMEOUT_MS,
    )
  })
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), timeout])
      if (done) break
      size += value.length
      if (size > MAX_BODY_BYTES) throw tooLarge()
      chunks.push(value)
    }
  } catch (error) {
    await reader.cancel().catch(() => {})
    throw error instanceof BrokerError ? error : new BrokerError("request_malformed", "The request's body broke off.")
  } finally {
    if (timer !== undefined) clearTimeout(timer)
  }
  return concatenate(chunks, size)
}

function concatenate(chunks: readonly Uint8Array[], size: number): Uint8Array {
  if (chunks.length === 1 && chunks[0]) return chunks[0]
  const whole = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.length
  }
  return whole
}

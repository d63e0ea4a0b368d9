import { tooLarge } from "./limits.ts"

/**
 * A request, as the routes read it. Each server makes one from its own: to make one of fetch from one of Node's HTTP server
 * costs as much as deciding it.
 */
export interface Incoming {
  readonly method: string
  /** Absolute. Only its path and its query are read. */
  readonly url: string
  readonly headers: Pick<Headers, "get">
  /**
   * Reads the whole body. A stated length was compared with the limit before.
   * @throws {BrokerError} `request_too_large` beyond `limit` bytes; any other error when the connection broke
   */
  read(limit: number): Promise<Uint8Array>
}

/** A request of fetch. */
export const incomingOf = (request: Request): Incoming => ({
  method: request.method,
  url: request.url,
  headers: request.headers,
  // A stated length is true, because the server's HTTP parser enforces it. Without one, the bytes are counted while reading.
  read: async (limit) =>
    request.headers.has("content-length")
      ? new Uint8Array(await request.arrayBuffer())
      : await readCounting(request, limit),
})

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

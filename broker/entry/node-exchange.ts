import type { IncomingMessage, ServerResponse } from "node:http"
import type { Answer } from "../http/answer.ts"
import { EXCHANGE_PATH, type ExchangeRoute } from "../http/exchange-route.ts"
import type { Incoming } from "../http/incoming.ts"
import { MAX_BODY_BYTES } from "../http/limits.ts"

/**
 * Whether a request is an exchange as clients send it: the exact path, and a body of a stated length within the limit. The
 * app answers everything else that asks for an exchange: it counts the bytes of a body, and knows how to discard the rest.
 */
export function isPlainExchange({ method, url, headers }: IncomingMessage): boolean {
  const length = headers["content-length"]
  return method === "POST" && url === EXCHANGE_PATH && length !== undefined && Number(length) <= MAX_BODY_BYTES
}

/** Serves an exchange without the conversion to fetch and back, which costs as much as the decision. Never rejects. */
export async function serveExchange(
  request: IncomingMessage,
  response: ServerResponse,
  route: ExchangeRoute,
): Promise<void> {
  const answer = await route(incomingOf(request), {
    clientAddress: request.socket.remoteAddress ?? null,
    isGone: () => hasHungUp(request),
  })
  send(answer, request, response)
}

/**
 * Whether the client has ended its connection. Also true when it has ended its half of the connection only: Node then ends
 * the other half, so an answer would be lost.
 */
export const hasHungUp = ({ socket }: IncomingMessage): boolean => socket.destroyed || socket.readableEnded

export function send({ status, headers, body }: Answer, request: IncomingMessage, response: ServerResponse): void {
  headers.set("content-length", `${Buffer.byteLength(body)}`)
  // Node discards a body that was not read. One whose rest did not arrive in time is not waited for.
  if (request.readableFlowing && !request.complete) headers.set("connection", "close")
  response.writeHead(status, [...headers].flat()).end(body)
}

const incomingOf = (request: IncomingMessage): Incoming => ({
  method: request.method ?? "",
  // Not the host that the client names, which may be no host at all.
  url: `http://localhost${request.url}`,
  headers: {
    get(name) {
      const value = request.headers[name]
      return Array.isArray(value) ? value.join(", ") : (value ?? null)
    },
  },
  read: () => read(request),
})

/** Reads the body. Node's HTTP parser enforces the stated length. */
const read = (request: IncomingMessage): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    // A client that hung up while its request waited for a turn: this stream will not report anything more.
    if (request.destroyed) reject(new Error("the connection is closed"))
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    request.on("error", reject)
  })

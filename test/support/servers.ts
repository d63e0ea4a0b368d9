import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

const MAX_REQUEST_BYTES = 256 * 1024
const OVERSIZED_BYTES = 4 * 1024 * 1024

export interface LoopbackServer {
  /** Without a slash at the end, for example `http://127.0.0.1:41235`. */
  readonly url: string
  /** Ends at once, open connections included. */
  close(): Promise<void>
}

/**
 * How a server can fail. `reset`: the connection breaks. `slow`: no answer ever comes. `oversized`: a right answer
 * behind 4 MiB of white space, which only a cap on the size refuses. `garbage`: 200 with bytes that are no answer.
 * `redirect`: 302 to a path that nobody may ask for.
 */
export type Misbehaviour = "reset" | "unavailable" | "slow" | "oversized" | "garbage" | "redirect"

/** What a server was told to do wrong: in the next so many answers, or in all until it is mended. */
export class Failures<How> {
  #told: { readonly how: How; left: number } | null = null

  /** Makes the next `times` answers fail; for good when `times` is left out. `null` mends it. */
  set(how: How | null, times = Number.POSITIVE_INFINITY): void {
    this.#told = how === null ? null : { how, left: times }
  }

  /** How the answer at hand fails, which is then one less to come; null when it is to be right. */
  take(): How | null {
    if (this.#told === null) return null
    const { how } = this.#told
    this.#told.left -= 1
    if (this.#told.left <= 0) this.#told = null
    return how
  }
}

/** Serves `handle` on a free port of the loopback interface. A handler that throws is answered with 500 and told to `onFault`. */
export async function startServer(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  onFault: (fault: unknown) => void,
): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    handle(request, response).catch((fault: unknown) => {
      onFault(fault)
      if (!response.headersSent) response.writeHead(500)
      response.end()
    })
  })
  // Node ends an idle connection after five seconds, vendors after minutes. A client that sends at that moment sees a reset.
  server.keepAliveTimeout = 300_000
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** The range of `freePort`, below the one from which systems give ports to whoever asks for any. */
const FIRST_PORT = 16_000
const PORTS = 16_000

/**
 * A port of the loopback interface that nobody uses now, for a process that has to be told its port. It is not one that the
 * system gives to another server in the meantime.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })
}

/** The request's body as text; null when it is larger than anything that these servers are meant to be sent. */
export async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > MAX_REQUEST_BYTES) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

/** The media type of a body without its parameters, in lower case; empty when the header does not say one. */
export const mediaTypeOf = (contentType: string | undefined): string =>
  contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? ""

/** Answers as the misbehaviour says. `right` is what a server in order would have sent. */
export function misbehave(
  response: ServerResponse,
  how: Misbehaviour,
  right: { readonly type: string; readonly body: string },
): void {
  switch (how) {
    case "reset":
      response.socket?.resetAndDestroy()
      return
    case "slow":
      return // Until the caller gives up, or close() cuts the connection.
    case "unavailable":
      response.writeHead(503, { "Content-Type": "text/plain" }).end("upstream connect error")
      return
    case "oversized":
      response.writeHead(200, { "Content-Type": right.type }).end(`${" ".repeat(OVERSIZED_BYTES)}${right.body}`)
      return
    case "garbage":
      response.writeHead(200, { "Content-Type": right.type }).end("\u0000\u0001<html>}not an answer{")
      return
    case "redirect":
      response.writeHead(302, { Location: "/a-redirect-that-must-not-be-followed" }).end()
  }
}

import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { getRequestListener } from "@hono/node-server"
import type { Context, Hono } from "hono"
import { BrokerError } from "../core/errors.ts"
import type { ExchangeRoute } from "../http/exchange-route.ts"
import { problemAnswer } from "../http/problem.ts"
import { createArrivals } from "./arrivals.ts"
import { hasHungUp, isPlainExchange, send, serveExchange } from "./node-exchange.ts"

/** Larger than the largest subject token (16 KiB) with the other headers. Node's default is smaller. */
const MAX_HEADER_BYTES = 32 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/**
 * How long an idle connection stays open: longer than proxies keep theirs (nginx and AWS's load balancers: 60 s). If the broker ended
 * one first, a proxy could send a request at that moment, and a POST that met a closed connection is not sent again. Node: 5 s.
 */
const KEEP_ALIVE_TIMEOUT_MS = 75_000

export interface Listener {
  readonly port: number
  /** Accepts no new connection, and resolves when all running requests have been answered. */
  stop(): Promise<void>
}

/**
 * Serves an app on Node's HTTP server, with limits on headers and time; exchanges by their own route. Rejects when the
 * address is not available.
 */
export async function startListening(
  app: Pick<Hono, "fetch">,
  exchange: ExchangeRoute,
  at: { port: number; hostname: string },
): Promise<Listener> {
  let stopping = false
  const viaApp = getRequestListener((request, env) => app.fetch(request, env))
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    // A kept connection can send a request after the stop began. Its client is asked to retry, and then reaches the
    // successor.
    if (stopping) send(problemAnswer(shuttingDown(), crypto.randomUUID()), request, response)
    else if (isPlainExchange(request)) void serveExchange(request, response, exchange)
    else void viaApp(request, response)
  }
  const arrivals = createArrivals()
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      // Otherwise Node keeps the first of two Authorization headers, and a proxy before it may have checked the second.
      joinDuplicateHeaders: true,
    },
    (request, response) => arrivals.request(() => answer(request, response)),
  )
  server.on("connection", arrivals.connected)
  server.on("request", (_, response) => {
    // A connection that was busy when the stop began is closed after its answer, and not only at its timeout.
    response.once("close", () => stopping && setImmediate(() => server.closeIdleConnections()))
  })
  server.on("clientError", refuse)
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(at.port, at.hostname, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        stopping = true
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

/** Whether the client of a request of the app has ended its connection. */
export const isClientGone = ({ env }: Pick<Context, "env">): boolean => {
  const request = env?.incoming as IncomingMessage | undefined
  return request !== undefined && hasHungUp(request)
}

/** Answers invalid or slow requests with a problem document, like any other refusal. Node's own answer has no body. */
function refuse(error: Error, socket: Duplex): void {
  if (!socket.writable) return void socket.destroy()
  const tooLarge = "code" in error && error.code === "HPE_HEADER_OVERFLOW"
  const fault = tooLarge
    ? new BrokerError("request_too_large", `A request's headers have at most ${MAX_HEADER_BYTES} bytes.`)
    : new BrokerError("request_malformed", "The request is not valid HTTP/1.1, or it did not arrive in time.")
  const { status, headers, body } = problemAnswer(fault, crypto.randomUUID())
  headers.set("content-length", `${Buffer.byteLength(body)}`).set("connection", "close")
  const head = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("")
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`)
}

const shuttingDown = () => new BrokerError("shutting_down", "This broker is stopping. Send the request again.")

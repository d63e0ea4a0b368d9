import { createServer, type IncomingMessage, STATUS_CODES } from "node:http"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { getRequestListener } from "@hono/node-server"
import type { Context, Hono } from "hono"
import { BrokerError } from "../core/errors.ts"
import { problemResponse } from "../http/problem.ts"
import { createArrivals } from "./arrivals.ts"

/** Larger than the largest subject token (16 KiB) with the other headers. Node's default is smaller. */
const MAX_HEADER_BYTES = 32 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000

export interface Listener {
  readonly port: number
  /** Accepts no new connection, and resolves when all running requests have been answered. */
  stop(): Promise<void>
}

/** Serves an app on Node's HTTP server, with limits on headers and time. Rejects when the address is not available. */
export async function startListening(
  app: Pick<Hono, "fetch">,
  at: { port: number; hostname: string },
): Promise<Listener> {
  let stopping = false
  // A kept connection can send a request after the stop began. Its client is asked to retry, and then reaches the successor.
  const serve = getRequestListener((request, env) =>
    stopping ? problemResponse(shuttingDown(), crypto.randomUUID()) : app.fetch(request, env),
  )
  const arrivals = createArrivals()
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    (request, response) => arrivals.request(() => void serve(request, response)),
  )
  server.on("connection", arrivals.connected)
  server.on("request", (_, response) => {
    // A connection that was busy when the stop began is closed after its answer, and not only at its timeout.
    response.once("close", () => setImmediate(() => stopping && server.closeIdleConnections()))
  })
  server.on("clientError", (error, socket) => void refuse(error, socket))
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

/**
 * Whether the client has ended its connection. Also true when it has ended its half of the connection only: Node then ends
 * the other half, so an answer would be lost.
 */
export const isClientGone = ({ env }: Pick<Context, "env">): boolean => {
  const request = env?.incoming as IncomingMessage | undefined
  return request !== undefined && (request.socket.destroyed || request.socket.readableEnded)
}

/** Answers invalid or slow requests with a problem document, like any other refusal. Node's own answer has no body. */
async function refuse(error: Error, socket: Duplex): Promise<void> {
  if (!socket.writable) return void socket.destroy()
  const tooLarge = "code" in error && error.code === "HPE_HEADER_OVERFLOW"
  const fault = tooLarge
    ? new BrokerError("request_too_large", `A request's headers have at most ${MAX_HEADER_BYTES} bytes.`)
    : new BrokerError("request_malformed", "The request is not valid HTTP/1.1, or it did not arrive in time.")
  const response = problemResponse(fault, crypto.randomUUID())
  const body = await response.text()
  const fields = [...response.headers, ["content-length", `${Buffer.byteLength(body)}`], ["connection", "close"]]
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")
  socket.end(`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status]}\r\n${head}\r\n${body}`)
}

const shuttingDown = () => new BrokerError("shutting_down", "This broker is stopping. Send the request again.")

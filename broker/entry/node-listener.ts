import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { getRequestListener } from "@hono/node-server"
import type { Hono } from "hono"

/** Above the largest subject token (16 KiB) with the other headers; Node's default is below it. */
const MAX_HEADER_BYTES = 32 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000

export interface Listener {
  readonly port: number
  /** Takes no new connection, and resolves when every request under way was answered. */
  stop(): Promise<void>
}

/** Serves an app on Node's own HTTP server, with bounds on headers and time. Rejects when the address is not to be had. */
export async function startListening(
  app: Pick<Hono, "fetch">,
  at: { port: number; hostname: string },
): Promise<Listener> {
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    getRequestListener(app.fetch),
  )
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(at.port, at.hostname, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

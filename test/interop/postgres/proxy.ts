import type { AddressInfo } from "node:net"
import { connect, createServer, type Socket } from "node:net"

/** What becomes of the connections through a proxy. */
export type Cut =
  /** Nothing: all is passed on. */
  | "none"
  /** Cut before a COMMIT reaches the server. */
  | "before-commit"
  /** A COMMIT reaches the server; its answer does not come back. */
  | "after-commit"
  /** Nothing comes back any more, and nobody ends the connection. */
  | "silent"

export interface CuttingProxy {
  readonly port: number
  cut: Cut
  close(): Promise<void>
}

/** Stands between a broker and its database, and cuts the connection where a test says. */
export async function startProxy(port: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1")
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
    }
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    let isDeaf = false
    client.on("data", (chunk) => {
      const commits = chunk.includes("COMMIT\0")
      if (commits && proxy.cut === "before-commit") return end()
      if (commits && proxy.cut === "after-commit") {
        isDeaf = true
        upstream.write(chunk)
        // The server's answer is here: it has committed.
        upstream.once("data", () => setTimeout(end, 50))
        return
      }
      upstream.write(chunk)
    })
    upstream.on("data", (chunk) => {
      if (!isDeaf && proxy.cut !== "silent") client.write(chunk)
    })
    client.on("close", end)
    upstream.on("close", end)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const proxy: CuttingProxy = {
    port: (server.address() as AddressInfo).port,
    cut: "none",
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
  return proxy
}

import { lookup } from "node:dns/promises"
import { isIP } from "node:net"
import { connect } from "node:tls"

/** What this machine sees of a host, beside its HTTP. */
export interface Sight {
  /** The host's addresses. Rejects as `node:dns` does. */
  addresses(host: string): Promise<readonly string[]>
  /** When the certificate ends that the host shows; null when it shows none that is valid, or does not answer in time. */
  certificateEnd(host: string, port: number): Promise<Date | null>
}

const TIMEOUT_MS = 10_000

/** Looks for itself. Behind a proxy, a host may have no address here, and show no certificate. */
export const ownSight: Sight = {
  async addresses(host) {
    if (isIP(host) !== 0) return [host]
    return (await lookup(host, { all: true })).map(({ address }) => address)
  },
  certificateEnd: (host, port) =>
    new Promise((resolve) => {
      const socket = connect({ host, port, timeout: TIMEOUT_MS, ...(isIP(host) === 0 ? { servername: host } : {}) })
      const end = (date: Date | null) => {
        socket.destroy()
        resolve(date)
      }
      socket.on("secureConnect", () => {
        const { valid_to: until } = socket.getPeerCertificate()
        const date = new Date(until)
        end(Number.isNaN(date.getTime()) ? null : date)
      })
      socket.on("error", () => end(null)).on("timeout", () => end(null))
    }),
}

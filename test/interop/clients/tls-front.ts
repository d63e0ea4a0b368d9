import { readFileSync } from "node:fs"
import { request } from "node:http"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { runCommand } from "../command.ts"

/** A certificate for 127.0.0.1, and the authority that signed it, which clients are told to trust. */
export interface TestCertificate {
  readonly key: string
  readonly certificate: string
  /** The path of the authority's certificate, for NODE_EXTRA_CA_CERTS. */
  readonly authority: string
}

/** Makes a new authority and a certificate of it below `folder`. */
export async function makeCertificate(programs: string, folder: string): Promise<TestCertificate> {
  const args = ["-m", "trustme", "--quiet", "--dir", folder, "--identities", "127.0.0.1"]
  const { exitCode, output } = await runCommand(join(programs, "python"), args, { timeoutMs: 60_000 })
  if (exitCode !== 0) throw new Error(`trustme ended with ${exitCode}:\n${output}`)
  const read = (name: string) => readFileSync(join(folder, name), "utf8")
  return { key: read("server.key"), certificate: read("server.pem"), authority: join(folder, "client.pem") }
}

export interface TlsFront {
  readonly url: string
  close(): Promise<void>
}

/** Passes everything on to a stand-in, whose clients accept no plain http: Microsoft's do not, not even on loopback. */
export async function startTlsFront(target: string, { key, certificate }: TestCertificate): Promise<TlsFront> {
  const server = createServer({ key, cert: certificate }, (incoming, outgoing) => {
    const { method, url, headers } = incoming
    const passed = request(
      new URL(url ?? "/", target),
      { method, headers: { ...headers, "x-forwarded-proto": "https" } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      },
    )
    passed.once("error", () => outgoing.destroy())
    incoming.pipe(passed)
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

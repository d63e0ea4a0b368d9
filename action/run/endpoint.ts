import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * What clients send as `Authorization`. `plain`: the authorization itself, as AWS's SDKs send it. `bearer`: the scheme `Bearer`
 * before it, as Google's and Azure's clients send it (RFC 6750).
 */
export type Scheme = "plain" | "bearer"

/** One credential that clients of the command fetch. */
export interface Served {
  /** Unique, for example `/aws/deploy`. */
  readonly path: string
  readonly scheme: Scheme
  /** The document; null when there is no credential now. */
  answer(): Promise<object | null>
}

export interface Endpoint {
  /** Random: only the command has it. */
  readonly authorization: string
  urlOf(path: string): string
  close(): void
}

interface Answer {
  readonly status: number
  readonly body: object
}

/** Clients that ask as GitHub's are asked add the audience that they want. The token has the one that its policy says. */
const AUDIENCE_QUERY = /^\?audience=[A-Za-z0-9%:/._~-]{1,512}$/

/**
 * Clients of the command send their request at once. Without these, a program of any user of the machine could keep a connection
 * for a minute or longer without one, and thousands of them would use up this step's files and memory.
 */
const LIMITS = {
  headersTimeout: 3_000,
  requestTimeout: 3_000,
  connectionsCheckingInterval: 500,
  maxHeaderSize: 8 * 1024,
} as const

/**
 * Serves credentials to clients on loopback while the command runs: AWS's sessions (docs.aws.amazon.com/sdkref: container
 * credential provider), and tokens for Google's (AIP-4117: URL-sourced credentials) and Azure's clients. Every process of the
 * machine can connect, so each request needs the random authorization. A foreign `Host` is refused as well: a web page can
 * point its own name at a loopback address.
 */
export async function serveCredentials(served: readonly Served[]): Promise<Endpoint> {
  const authorization = randomBytes(32).toString("base64url")
  let host = ""
  const server = createServer(LIMITS, (request, response) => {
    const send = ({ status, body }: Answer) => {
      response.writeHead(status, {
        "content-type": "application/json",
        "cache-control": "no-store",
        connection: "close",
      })
      response.end(JSON.stringify(body))
    }
    answer(request, { served, authorization, host }).then(send, () => send(refusal(500, "Internal")))
  })
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    authorization,
    urlOf: (path) => `http://${host}${path}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(
  { method, url = "", headers }: IncomingMessage,
  has: { readonly served: readonly Served[]; readonly authorization: string; readonly host: string },
): Promise<Answer> {
  if (headers.host !== has.host || headers.origin !== undefined) return refusal(403, "WrongHost")
  if (method !== "GET") return refusal(405, "MethodNotAllowed")
  const given = headers.authorization ?? ""
  const scheme = /^bearer /i.test(given) ? "bearer" : "plain"
  if (!isSame(given.replace(/^bearer /i, ""), has.authorization)) return refusal(401, "Unauthorized")
  const one = has.served.find(({ path }) => isFor(url, path, scheme))
  if (one === undefined) return refusal(404, "NotFound")
  if (one.scheme !== scheme) return refusal(401, "Unauthorized")
  const current = await one.answer()
  return current === null ? refusal(503, "NoCredentials") : { status: 200, body: current }
}

function isFor(url: string, path: string, scheme: Scheme): boolean {
  return url === path || (scheme === "bearer" && url.startsWith(path) && AUDIENCE_QUERY.test(url.slice(path.length)))
}

function refusal(status: number, code: string): Answer {
  return { status, body: { Code: code, Message: "Daypass gives no credentials for this request. See the step's log." } }
}

/** Compares digests: the time tells nothing about the right text, nor about its length. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}

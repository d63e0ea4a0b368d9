import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import type { RenewedSession } from "./aws-session.ts"

export interface AwsEndpoint {
  /** What a client must send as `Authorization`. */
  readonly authorization: string
  urlOf(grant: string): string
  close(): void
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

/**
 * Serves sessions to AWS's SDKs on loopback (docs.aws.amazon.com/sdkref: container credential provider), while the command
 * runs. Every process of the machine can connect, so each request needs the random authorization, which only the command
 * gets. A foreign `Host` is refused as well: a web page can point its own name at a loopback address.
 */
export async function serveSessions(sessions: ReadonlyMap<string, RenewedSession>): Promise<AwsEndpoint> {
  const authorization = randomBytes(32).toString("base64url")
  let host = ""
  const server = createServer((request, response) => {
    const send = ({ status, body }: Answer) => {
      response.writeHead(status, {
        "content-type": "application/json",
        "cache-control": "no-store",
        connection: "close",
      })
      response.end(JSON.stringify(body))
    }
    answer(request, { sessions, authorization, host }).then(send, () => send(refusal(500, "Internal")))
  })
  await new Promise<void>((resolve, reject) => {
    server.on("error", reject)
    server.listen(0, "127.0.0.1", resolve)
  })
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    authorization,
    urlOf: (grant) => `http://${host}${pathOf(grant)}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(
  { method, url, headers }: IncomingMessage,
  has: {
    readonly sessions: ReadonlyMap<string, RenewedSession>
    readonly authorization: string
    readonly host: string
  },
): Promise<Answer> {
  if (headers.host !== has.host || headers.origin !== undefined) return refusal(403, "WrongHost")
  if (method !== "GET") return refusal(405, "MethodNotAllowed")
  if (!isSame(headers.authorization ?? "", has.authorization)) return refusal(401, "Unauthorized")
  const session = [...has.sessions].find(([grant]) => url === pathOf(grant))?.[1]
  if (session === undefined) return refusal(404, "NotFound")
  const current = await session.current()
  return current === null ? refusal(503, "NoSession") : { status: 200, body: current }
}

const pathOf = (grant: string) => `/aws/${encodeURIComponent(grant)}`

function refusal(status: number, code: string): Answer {
  return { status, body: { Code: code, Message: "Daypass gives no AWS session for this request. See the step's log." } }
}

/** Compares digests: the time tells nothing about the right text, nor about its length. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { LoginError } from "./login-error.ts"

/** Where the browser brings the answer: this machine alone (RFC 8252, section 7.3). */
export interface Loopback {
  /** `http://127.0.0.1:PORT/callback`. */
  readonly redirectUri: string
  /**
   * Resolves to what `accept` makes of the first answer that it accepts. `accept` returns null for an answer of another
   * login: it is refused, and the wait goes on, so that a page that guesses the port can end no login. What `accept` throws
   * ends the wait, after the browser has been told.
   * @throws {LoginError} when the time is over
   */
  answer<Value>(accept: (parameters: URLSearchParams) => Promise<Value | null>, timeoutMs: number): Promise<Value>
  close(): void
}

const HOST = "127.0.0.1"
const PATH = "/callback"
const MAX_HEADER_BYTES = 16 * 1024
const LAST_PAGE_MS = 1_000

/** Listens on a port of this machine that the system chooses, or on the given one. @throws {LoginError} */
export async function openLoopback(port = 0): Promise<Loopback> {
  let take: ((request: URLSearchParams) => Promise<boolean>) | null = null
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    void handle(request, response, take).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", () => reject(new LoginError(`this machine has no free port ${port || ""} for the answer`)))
    server.listen(port, HOST, resolve)
  })
  const { port: own } = server.address() as AddressInfo
  const close = () => {
    server.close()
    // The browser still reads the page; a connection that says nothing must not keep the command.
    setTimeout(() => server.closeAllConnections(), LAST_PAGE_MS).unref()
  }
  return {
    redirectUri: `http://${HOST}:${own}${PATH}`,
    close,
    answer(accept, timeoutMs) {
      return new Promise((resolve, reject) => {
        const late = new LoginError(`nobody signed in within ${timeoutMs / 60_000} minutes: run the command again`)
        const timer = setTimeout(() => reject(late), timeoutMs)
        take = async (parameters) => {
          try {
            const value = await accept(parameters)
            if (value === null) return false
            clearTimeout(timer)
            resolve(value)
            return true
          } catch (error) {
            clearTimeout(timer)
            reject(error)
            throw error
          }
        }
      })
    },
  }
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  take: ((parameters: URLSearchParams) => Promise<boolean>) | null,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://loopback.invalid")
  // Another name for this address means that a web page resolved it: DNS rebinding.
  const isOurs = request.headers.host === `${HOST}:${request.socket.localPort}`
  if (!isOurs || request.method !== "GET" || url.pathname !== PATH || take === null) {
    return say(response, 404, "There is nothing here.")
  }
  try {
    const accepted = await take(url.searchParams)
    if (accepted) say(response, 200, "You are signed in. You can close this window.")
    else say(response, 400, "This answer belongs to another login.")
  } catch {
    say(response, 400, "You are not signed in. The terminal says why.")
  }
}

/** A page with text of ours alone. It asks for nothing, and no other page learns its address, which has the code in it. */
function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    connection: "close",
  })
  response.end(`${text}\n`)
}

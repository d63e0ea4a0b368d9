import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { LoginError } from "./login-error.ts"

/** What the browser shows, in one sentence each. */
export interface LoopbackWords {
  readonly accepted: string
  readonly foreign: string
  readonly refused: string
  /** The end of "nobody ... within 5 minutes". */
  readonly late: string
}

/** A page with which a flow begins that has to send a form. */
export interface StartPage {
  readonly html: string
  /** Where its form goes: an origin. */
  readonly formAction: string
}

/** Where the browser brings the answer: this machine alone (RFC 8252, section 7.3). */
export interface Loopback {
  /** `http://127.0.0.1:PORT/callback`. */
  readonly redirectUri: string
  /** Serves a page at an address that nobody can guess, and says the address. */
  serve(page: StartPage): string
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

const SIGN_IN: LoopbackWords = {
  accepted: "You are signed in. You can close this window.",
  foreign: "This answer belongs to another login.",
  refused: "You are not signed in. The terminal says why.",
  late: "signed in",
}

/** What the server answers with, at each moment of a flow. */
interface Stage {
  readonly words: LoopbackWords
  start: { readonly path: string; readonly page: StartPage } | null
  take: ((parameters: URLSearchParams) => Promise<boolean>) | null
}

/** Listens on a port of this machine that the system chooses, or on the given one. @throws {LoginError} */
export async function openLoopback(port = 0, words: LoopbackWords = SIGN_IN): Promise<Loopback> {
  const stage: Stage = { words, start: null, take: null }
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
    void handle(request, response, stage).catch(() => response.destroy())
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
    serve(page) {
      stage.start = { path: `/${crypto.randomUUID()}`, page }
      return `http://${HOST}:${own}${stage.start.path}`
    },
    answer(accept, timeoutMs) {
      return new Promise((resolve, reject) => {
        const late = new LoginError(`nobody ${words.late} within ${timeoutMs / 60_000} minutes: run the command again`)
        const timer = setTimeout(() => reject(late), timeoutMs)
        stage.take = async (parameters) => {
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
  { words, start, take }: Stage,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://loopback.invalid")
  // Another name for this address means that a web page resolved it: DNS rebinding.
  const isOurs = request.headers.host === `${HOST}:${request.socket.localPort}` && request.method === "GET"
  if (isOurs && start !== null && url.pathname === start.path) return show(response, start.page)
  if (!isOurs || url.pathname !== PATH || take === null) {
    return say(response, 404, "There is nothing here.")
  }
  try {
    const accepted = await take(url.searchParams)
    if (accepted) say(response, 200, words.accepted)
    else say(response, 400, words.foreign)
  } catch {
    say(response, 400, words.refused)
  }
}

/** What every answer has. No other page learns its address, which may have a code in it. */
const HEADERS = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  connection: "close",
} as const

/** A page that may do nothing but send its form. */
function show(response: ServerResponse, { html, formAction }: StartPage): void {
  response.writeHead(200, {
    ...HEADERS,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action ${formAction}`,
  })
  response.end(html)
}

/** A page with text of ours alone. It asks for nothing. */
function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    ...HEADERS,
    "content-type": "text/plain; charset=utf-8",
    "content-security-policy": "default-src 'none'",
  })
  response.end(`${text}\n`)
}

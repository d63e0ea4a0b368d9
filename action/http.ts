import type { ClientRequest, IncomingMessage } from "node:http"
import { HttpFailure } from "./http-failure.ts"
import { stepEnvironment, userAgent } from "./runner.ts"

export interface HttpTarget {
  readonly method: "GET" | "POST" | "DELETE"
  readonly url: URL
  /** Limit from the call to the last byte of the answer. */
  readonly timeoutMs: number
}

export interface HttpRequest extends HttpTarget {
  /** Sent in the Authorization header, never in the URL. */
  readonly bearer: string
  readonly accept: string
  readonly json?: unknown
  /** A proof of the job's key, for the header `DPoP` (RFC 9449). */
  readonly dpop?: string
}

export interface HttpReply {
  readonly status: number
  /** Without parameters, in lower case; empty when the answer names none. */
  readonly mediaType: string
  readonly retryAfter: string | undefined
  readonly body: Buffer
}

/** True for https, and for http to a loopback host, where the request does not leave the machine. */
export function isHttpsOrLoopback(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK_HOST.test(url.hostname))
}

/** A connection for one request. Nothing was sent on it yet. */
export interface Connection {
  /** The request that it is for; null when it cannot be used, or no longer. */
  take(): ClientRequest | null
  /** Closes it, if it was not taken. */
  end(): void
}

/**
 * Opens a connection for a request that follows soon, so that its DNS, TCP and TLS are done by then. Sends nothing, and never
 * fails: if there is no good connection when it is taken, `send` opens one, and reports why that fails.
 */
export function connect(target: HttpTarget): Connection {
  const openedAt = process.uptime()
  let call: ClientRequest | null = null
  let isOver = false
  const end = () => {
    isOver = true
    call?.destroy()
  }
  void open(target).then((opened) => {
    call = opened
    // An answer to nothing is that of a server which waited long enough for a request.
    call.on("error", end).on("close", end).on("response", end)
    if (isOver) end()
  }, end)
  return {
    take() {
      if (isOver || call === null || process.uptime() - openedAt > MAX_WAIT_SECONDS) return null
      isOver = true
      call.off("error", end).off("close", end).off("response", end)
      return call
    },
    end: () => void (isOver || end()),
  }
}

/** Some proxies close a connection on which no request arrives within five seconds. */
const MAX_WAIT_SECONDS = 3

/**
 * Sends one request and reads the whole answer, up to 4 MiB. Never follows a redirect, never retries, never sends
 * cookies. Uses node:http directly, because the global fetch costs a job about 30 ms of start-up.
 * @param connection one that was opened for the same target
 * @throws {HttpFailure}
 */
export async function send(request: HttpRequest, connection?: Connection): Promise<HttpReply> {
  const call = connection?.take() ?? (await open(request))
  const body = request.json === undefined ? undefined : JSON.stringify(request.json)
  call.setHeader("accept", request.accept)
  call.setHeader("authorization", `Bearer ${request.bearer}`)
  call.setHeader("user-agent", userAgent())
  if (request.dpop !== undefined) call.setHeader("dpop", request.dpop)
  if (body !== undefined) {
    call.setHeader("content-type", "application/json")
    call.setHeader("content-length", Buffer.byteLength(body))
  }
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) =>
      void import("./http-fault.ts").then(({ whyFailed }) => reject(whyFailed(cause, request.url)), reject)
    call.on("response", (response) => {
      readReply(response).then(resolve, (cause) => {
        call.destroy()
        fail(cause)
      })
    })
    const timer = setTimeout(() => {
      // Behind a proxy, there is no socket before the tunnel.
      const isConnected = call.socket?.connecting === false
      const failure = new HttpFailure(isConnected ? "timeout" : "unconnected")
      // Without a socket, destroying the call emits nothing: a proxy that never answers would hold the step for ever.
      reject(failure)
      call.destroy(failure)
    }, request.timeoutMs)
    call.on("error", fail)
    call.on("close", () => clearTimeout(timer))
    call.end(body)
  })
}

/** Starts the connection of a request. */
export async function open({ method, url, timeoutMs }: HttpTarget): Promise<ClientRequest> {
  // Checked here too, not only where inputs are read: the post step reads its URL from the runner's saved state.
  if (!isHttpsOrLoopback(url)) throw new HttpFailure("not-http")
  const isTls = url.protocol === "https:"
  const { Agent, request } = isTls ? await import("node:https") : await import("node:http")
  return request(url, {
    method,
    // One connection per call: an open connection would keep the step running. TLS goes through the proxy as a tunnel, so
    // the proxy reads nothing. Plain HTTP goes only to loopback and never through a proxy, which could read the bearer.
    // For a proxy that accepts the tunnel and never answers: only this ends its socket, which would keep the step running.
    timeout: timeoutMs,
    agent: new Agent({ keepAlive: false, ...(isTls && { proxyEnv: stepEnvironment() }) }),
    // Set explicitly: NODE_TLS_REJECT_UNAUTHORIZED=0 in a runner's environment would let a man in the middle read the bearer.
    ...(isTls && { rejectUnauthorized: true }),
  })
}

/** Uses plain events: loading the stream's async iterator would slow down the start. */
function readReply(response: IncomingMessage): Promise<HttpReply> {
  const status = response.statusCode ?? 0
  if (status >= 300 && status < 400) return Promise.reject(new HttpFailure("redirect"))
  const mediaType = (response.headers["content-type"] ?? "").split(";")[0] ?? ""
  const chunks: Buffer[] = []
  let length = 0
  return new Promise((resolve, reject) => {
    response.on("data", (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length > MAX_REPLY_BYTES) reject(new HttpFailure("too-large"))
    })
    response.on("error", reject)
    response.on("end", () => {
      const retryAfter = response.headers["retry-after"]
      resolve({ status, mediaType: mediaType.trim().toLowerCase(), retryAfter, body: Buffer.concat(chunks) })
    })
  })
}

/** The form of an answer, in words. */
export function typeOf({ mediaType }: HttpReply): string {
  if (mediaType === "text/html") return "an HTML page (text/html)"
  return /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,60}$/.test(mediaType) ? `a body of type ${mediaType}` : "no media type"
}

/** Room for many files of 64 KiB, encoded in base64 twice: as values, and again in the encrypted answer. */
const MAX_REPLY_BYTES = 4 * 1024 * 1024
const LOOPBACK_HOST = /^(localhost|\[::1\]|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})$/

import type { IncomingMessage, RequestOptions } from "node:http"
import type { Retry } from "./failure.ts"
import { proxyEnvironment } from "./runner.ts"

export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE"
  readonly url: URL
  /** Sent in the Authorization header, never in the URL. */
  readonly bearer: string
  readonly accept: string
  readonly json?: unknown
  /** Limit from the call to the last byte of the answer. */
  readonly timeoutMs: number
}

export interface HttpReply {
  readonly status: number
  /** Without parameters, in lower case; empty when the answer names none. */
  readonly mediaType: string
  readonly retryAfter: string | undefined
  readonly body: Buffer
}

/** `unconnected`: the time was over before there was a connection, so the request was never sent. */
export type HttpFault =
  | "unknown-host"
  | "refused"
  | "unconnected"
  | "reset"
  | "timeout"
  | "tls"
  | "too-large"
  | "redirect"
  | "not-http"
  | "proxy-refused"
  | "proxy-down"

/** Why a request failed. Contains no URL and no body: either may hold a secret. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure"
  readonly fault: HttpFault
  /** The proxy that caused it, as `host:port`: without the user and password that its URL may have. */
  readonly proxy?: string
  /** What the proxy answered instead of opening a tunnel. */
  readonly status?: number

  constructor(fault: HttpFault, extra: { readonly proxy?: string; readonly status?: number } = {}) {
    super(`the request failed: ${fault}`)
    this.fault = fault
    if (extra.proxy !== undefined) this.proxy = extra.proxy
    if (extra.status !== undefined) this.status = extra.status
  }

  /** Absent when a retry would fail in the same way. */
  get retry(): Retry | undefined {
    // A proxy that answers 407 or 403 has decided; one that answers 502 or 503 has a temporary problem.
    if (this.status !== undefined && this.status < 500) return undefined
    return RETRIES[this.fault]
  }
}

/** True for https, and for http to a loopback host, where the request does not leave the machine. */
export function isHttpsOrLoopback(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK_HOST.test(url.hostname))
}

/**
 * Sends one request and reads the whole answer, up to 4 MiB. Never follows a redirect, never retries, never sends
 * cookies. Uses node:http directly, because the global fetch costs a job about 30 ms of start-up.
 * @throws {HttpFailure}
 */
export async function send(request: HttpRequest): Promise<HttpReply> {
  // Checked here too, not only where inputs are read: the post step reads its URL from the runner's saved state.
  if (!isHttpsOrLoopback(request.url)) throw new HttpFailure("not-http")
  const isTls = request.url.protocol === "https:"
  const { Agent, request: open } = isTls ? await import("node:https") : await import("node:http")
  const body = request.json === undefined ? undefined : JSON.stringify(request.json)
  const options: RequestOptions = {
    method: request.method,
    headers: {
      accept: request.accept,
      authorization: `Bearer ${request.bearer}`,
      "user-agent": "daypass-action",
      ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    },
    // One connection per call: an open connection would keep the step running. TLS goes through the proxy as a tunnel, so
    // the proxy reads nothing. Plain HTTP goes only to loopback and never through a proxy, which could read the bearer.
    // For a proxy that accepts the tunnel and never answers: only this ends its socket, which would keep the step running.
    timeout: request.timeoutMs,
    agent: new Agent({ keepAlive: false, ...(isTls && { proxyEnv: proxyEnvironment() }) }),
    // Set explicitly: NODE_TLS_REJECT_UNAUTHORIZED=0 in a runner's environment would let a man in the middle read the bearer.
    ...(isTls && { rejectUnauthorized: true }),
  }
  return new Promise((resolve, reject) => {
    const call = open(request.url, options, (response) => {
      readReply(response).then(resolve, (cause) => {
        call.destroy()
        reject(toHttpFailure(cause))
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
    call.on("error", (cause) => reject(proxyFailure(cause, request.url) ?? toHttpFailure(cause)))
    call.on("close", () => clearTimeout(timer))
    call.end(body)
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

/** The failure, if the runner's proxy caused it; otherwise null. */
function proxyFailure(cause: Error, url: URL): HttpFailure | null {
  const environment = proxyEnvironment()
  const proxy = URL.parse(environment["https_proxy"] || environment["HTTPS_PROXY"] || "")
  if (url.protocol !== "https:" || proxy === null) return null
  const { code, statusCode, hostname, address, port } = cause as NodeJS.ErrnoException & {
    readonly [fact in "statusCode" | "hostname" | "address" | "port"]?: unknown
  }
  if (code === "ERR_PROXY_TUNNEL") {
    return new HttpFailure("proxy-refused", {
      proxy: proxy.host,
      ...(typeof statusCode === "number" && { status: statusCode }),
    })
  }
  // These errors say which host was looked up, or which address and port were dialled: the proxy's, or the broker's own
  // when NO_PROXY names it.
  const dialled = typeof address === "string" && (port ?? 0) === Number(proxy.port || DEFAULT_PORTS[proxy.protocol])
  const isAmbiguous = Number(url.port || 443) === port && address !== proxy.hostname
  if (hostname === proxy.hostname || (dialled && !isAmbiguous))
    return new HttpFailure("proxy-down", { proxy: proxy.host })
  return null
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 }

function toHttpFailure(cause: unknown): HttpFailure {
  if (cause instanceof HttpFailure) return cause
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""
  const fault = FAULTS[code]
  if (fault !== undefined) return new HttpFailure(fault)
  if (TLS_CODE.test(code)) return new HttpFailure("tls")
  if (code.startsWith("HPE_")) return new HttpFailure("not-http")
  return new HttpFailure("reset")
}

/** Room for many files of 64 KiB, encoded in base64 twice: as values, and again in the encrypted answer. */
const MAX_REPLY_BYTES = 4 * 1024 * 1024
const LOOPBACK_HOST = /^(localhost|\[::1\]|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})$/
const TLS_CODE = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/

const FAULTS: Readonly<Record<string, HttpFault>> = {
  __proto__: null as never,
  ENOTFOUND: "unknown-host",
  EAI_AGAIN: "unknown-host",
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "refused",
  ENETUNREACH: "refused",
  EADDRNOTAVAIL: "refused",
  ETIMEDOUT: "timeout",
}

const RETRIES: Readonly<Record<HttpFault, Retry | undefined>> = {
  "unknown-host": { pace: "quick" },
  refused: { pace: "quick" },
  unconnected: { pace: "patient" },
  reset: { pace: "patient" },
  timeout: { pace: "patient" },
  tls: undefined,
  "too-large": undefined,
  redirect: undefined,
  "not-http": undefined,
  "proxy-refused": { pace: "quick" },
  "proxy-down": { pace: "quick" },
}

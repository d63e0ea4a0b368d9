import type { Retry } from "./failure.ts"

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

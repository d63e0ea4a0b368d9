import { HttpFailure, type HttpFault } from "./http-failure.ts"
import { stepEnvironment } from "./runner.ts"
import { parseUrl } from "./url.ts"

/** Why a request to `url` failed with this error. */
export function whyFailed(cause: Error, url: URL): HttpFailure {
  if (cause instanceof HttpFailure) return cause
  const proxy = proxyFailure(cause, url)
  if (proxy !== null) return proxy
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : ""
  const fault = FAULTS[code]
  if (fault !== undefined) return new HttpFailure(fault)
  if (TLS_CODE.test(code)) return new HttpFailure("tls")
  if (code.startsWith("HPE_")) return new HttpFailure("not-http")
  return new HttpFailure("reset")
}

/** The failure, if the runner's proxy caused it; otherwise null. */
function proxyFailure(cause: Error, url: URL): HttpFailure | null {
  const environment = stepEnvironment()
  const proxy = parseUrl(environment["https_proxy"] || environment["HTTPS_PROXY"] || "")
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

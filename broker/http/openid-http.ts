import * as oauth from "oauth4webapi"
import { isHttpsOrLoopback, isLoopbackHost } from "../core/url.ts"
import type { Http } from "../ports/http.ts"

const TIMEOUT_MS = 15_000
/** Discovery documents have a few KiB, token answers rarely more than 20. */
const MAX_ANSWER_BYTES = 256 * 1024

/** What every call of the library gets: our own HTTP, and plain http for a provider on this machine alone. */
export interface OpenIdOptions {
  readonly [oauth.customFetch]: (url: string, options: FetchOptions) => Promise<Response>
  readonly [oauth.allowInsecureRequests]: boolean
}

type FetchOptions = oauth.CustomFetchOptions<"GET" | "POST", URLSearchParams | undefined>

/**
 * Lets the OpenID library send its requests through our port: with limits on time and size, without cookies, and without
 * following a redirect, which could carry a code to another host.
 */
export function openIdOptions(http: Http, issuer: URL): OpenIdOptions {
  return {
    [oauth.customFetch]: async (url, { method, headers, body }) => {
      const answer = await http({
        method,
        url,
        headers: { ...headers },
        ...(body === undefined ? {} : { body: body.toString() }),
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_ANSWER_BYTES,
      })
      const known = ["content-type", "www-authenticate", "retry-after"].flatMap((name): [string, string][] => {
        const value = answer.header(name)
        return value === null ? [] : [[name, value]]
      })
      return new Response(Uint8Array.from(answer.body), { status: answer.status, headers: known })
    },
    [oauth.allowInsecureRequests]: isHttpsOrLoopback(issuer.href) && isLoopbackHost(issuer.hostname),
  }
}

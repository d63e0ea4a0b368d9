import { ActionError } from "./failure.ts"
import { type HttpReply, isHttpsOrLoopback, send } from "./http.ts"
import { HttpFailure } from "./http-failure.ts"
import { memberOf, parseJson } from "./json.ts"
import type { IdTokenEndpoint } from "./runner.ts"
import { parseUrl } from "./url.ts"

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const MAX_TOKEN_CHARACTERS = 16 * 1024

/**
 * Requests a subject token with exactly this audience from the runner. One call, no retry: each attempt of the caller
 * needs a new token, because the broker accepts each token once.
 *
 * Unlike the toolkit's call, it marks a reset, a 429 and any 5xx as worth a retry.
 * @throws {ActionError} `id_token_unavailable`
 */
export async function requestIdToken(endpoint: IdTokenEndpoint, audience: string, timeoutMs: number): Promise<string> {
  const separator = endpoint.url.includes("?") ? "&" : "?"
  const url = parseUrl(`${endpoint.url}${separator}audience=${encodeURIComponent(audience)}`)
  if (url === null || !isHttpsOrLoopback(url))
    throw unavailable("The runner's variable ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL.")
  const reply = await ask(url, endpoint.requestToken, timeoutMs)
  if (reply.status !== 200) {
    const message = `The runner's ID token endpoint answered HTTP ${reply.status}.`
    throw unavailable(message, reply.status === 429 || reply.status >= 500)
  }
  return readToken(reply.body)
}

async function ask(url: URL, bearer: string, timeoutMs: number): Promise<HttpReply> {
  try {
    return await send({ method: "GET", url, bearer, accept: "application/json", timeoutMs })
  } catch (thrown) {
    if (!(thrown instanceof HttpFailure)) throw thrown
    const { proxyRefused } = await import("./proxy.ts")
    if (thrown.proxy !== undefined) throw proxyRefused(thrown, `the runner's ID token endpoint at ${url.host}`)
    const message = `The request to the runner's ID token endpoint failed (${thrown.fault}).`
    throw new ActionError("id_token_unavailable", message, thrown.retry && { retry: thrown.retry })
  }
}

function readToken(body: Buffer): string {
  const token = memberOf(parseJson(body), "value")
  if (typeof token === "string" && isIdToken(token)) return token
  throw unavailable("The answer of the runner's ID token endpoint contains no valid token.")
}

/** True for a text in the form of a token. Nothing in it is verified. */
export const isIdToken = (text: string): boolean => text.length <= MAX_TOKEN_CHARACTERS && COMPACT_JWS.test(text)

function unavailable(message: string, again = false): ActionError {
  return new ActionError("id_token_unavailable", message, again ? { retry: { pace: "patient" } } : {})
}

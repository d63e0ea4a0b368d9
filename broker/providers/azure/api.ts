import * as z from "zod"
import { formatDuration } from "../../core/duration.ts"
import type { BrokerError } from "../../core/errors.ts"
import { memberOf } from "../../core/policy/plain.ts"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import type { Login } from "../../ports/logins.ts"
import { type Call, denied, invalid, jsonOf, type OtherSide, readJson, transientFailure, unavailable } from "../call.ts"
import { CLOCK_TOLERANCE_SECONDS } from "../provider.ts"
import { BEARER } from "../service.ts"
import { MAX_TTL_SECONDS } from "./grant.ts"
import { refusalOf } from "./refusals.ts"
import type { TokenWish } from "./wish.ts"

/** An access token from Entra, as a login. */
export interface AccessToken extends Login<Secret<string>> {
  readonly lifetimeSeconds: number
}

/** Builds the call. Source: Microsoft identity platform, "client credentials flow", request with a federated credential. */
export function buildTokenRequest({ settings, clientId, scope }: TokenWish, assertion: Secret<string>): Call {
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: clientId,
    scope,
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: assertion.reveal(),
  })
  return {
    method: "POST",
    url: `${settings.authority}/${settings.tenant}/oauth2/v2.0/token`,
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: form.toString(),
  }
}

/**
 * The token's contents are not read: Microsoft tells clients never to do so, because only the resource understands them
 * ("Access tokens in the Microsoft identity platform").
 */
const MAX_TOKEN_LENGTH = 32 * 1024

const tokenAnswer = z.object({
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().int(),
  access_token: z.string().max(MAX_TOKEN_LENGTH).regex(BEARER),
})

/**
 * Reads Entra's answer. `now` is the time of the answer, so the token has certainly ended at `endsAt`.
 *
 * @throws {BrokerError}
 */
export function readToken(side: OtherSide, response: HttpResponse, wish: TokenWish, now: Date): AccessToken {
  if (response.status !== 200) throw readRefusal(side, response, wish)
  const answer = readJson(side, response, tokenAnswer, "a token response with a bearer token")
  const lifetimeSeconds = answer.expires_in
  if (lifetimeSeconds <= 0) throw invalid(side, "has a token that has already expired")
  const endsAt = new Date(now.getTime() + lifetimeSeconds * 1000)
  if (Number.isNaN(endsAt.getTime())) throw invalid(side, "does not say when the token ends")
  return { value: new Secret(answer.access_token), endsAt, lifetimeSeconds }
}

/**
 * The error for a token that lives longer than the grant's ttl, because a token cannot be shortened; null for any other.
 */
export function tooLong(side: OtherSide, { lifetimeSeconds }: AccessToken, ttlSeconds: number): BrokerError | null {
  if (lifetimeSeconds <= ttlSeconds + CLOCK_TOLERANCE_SECONDS) return null
  const lives = formatDuration(Math.ceil(lifetimeSeconds / 60) * 60)
  const raise = lifetimeSeconds <= MAX_TTL_SECONDS ? `raise the ttl to ${lives}, or ` : ""
  return invalid(
    side,
    `is a token that lives for ${lives}, but only ${formatDuration(ttlSeconds)} were granted. Entra chooses the lifetime of its tokens: ${raise}shorten the application's tokens with a token lifetime policy`,
  )
}

/** Entra's code for a client that repeats a request in a loop. It is handled separately, because a retry makes it worse. */
const LOOP = 50196

export const isLoop = (response: HttpResponse): boolean => response.status !== 200 && codesOf(response).includes(LOOP)

/** Turns a refusal into one of our errors. Only known codes in it are used. */
export function readRefusal(side: OtherSide, response: HttpResponse, wish: TokenWish): BrokerError {
  const transient = transientFailure(side, response)
  if (transient) return transient
  const codes = codesOf(response)
  if (codes.length === 0) return invalid(side, "has none of Entra's error codes; check the connection's authority")
  const refusal = refusalOf(codes)
  if (refusal === null)
    return denied(side, "The tenant's sign-in logs, under service principals, have the reason for this time and client")
  const { name, passes, remedy } = refusal
  const sentence = typeof remedy === "string" ? remedy : remedy(wish)
  return passes
    ? unavailable(side, `failed for connection ${side.connection} (${name}): ${sentence}`)
    : denied(side, `${name}: ${sentence}`)
}

const MAX_CODES = 8

/** Entra's error codes in a refusal, the most specific first. */
export function codesOf(response: HttpResponse): readonly number[] {
  const codes = memberOf(jsonOf(response), "error_codes")
  if (!Array.isArray(codes)) return []
  return codes.slice(0, MAX_CODES).filter((code): code is number => Number.isSafeInteger(code))
}

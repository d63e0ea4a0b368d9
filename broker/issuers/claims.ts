import type { Claims, ClaimValue } from "../core/identity.ts"
import { fail, ok, type Result } from "../core/result.ts"
import type { ErrorCode } from "../wire/error-codes.ts"
import { KEY_BINDING_SEPARATOR } from "../wire/exchange.ts"
import { isBase64url } from "./base64url.ts"

/** How far an issuer's clock and ours may be apart, in seconds, either way. */
export const CLOCK_SKEW_SECONDS = 60

const MAX_JTI_CHARACTERS = 256
/** A SHA-256 in base64url. */
const THUMBPRINT_CHARACTERS = 43
/** The last second of the year 9999: times beyond it are mistakes, milliseconds for example. */
const MAX_TIME = 253_402_300_799

export interface Expectation {
  readonly audience: string
  readonly now: Date
  readonly maxLifetimeSeconds: number
  readonly sendsJti: boolean
}

/** What the registered claims (RFC 7519 section 4.1) say, once they are found to be good. */
export interface RegisteredClaims {
  /** Thumbprint of the key that the token is bound to; null for a plain token. */
  readonly boundTo: string | null
  /** Unix seconds: from then on the token is refused, skew included. */
  readonly diesAt: number
  /** Null for issuers that send none. */
  readonly jti: string | null
}

export interface ClaimFault {
  readonly code: ErrorCode
  /** A whole sentence: which claim, what was expected, what came. */
  readonly detail: string
}

/**
 * Checks the claims that mean the same with every issuer, of a token whose signature is good. Pure.
 *
 * Nothing is coerced: a time is an integer, an audience is a string or a list of one, and a claim that is missing is
 * missing, never empty.
 */
export function checkRegisteredClaims(claims: Claims, expected: Expectation): Result<RegisteredClaims, ClaimFault> {
  const boundTo = readAudience(claims["aud"], expected.audience)
  if (!boundTo.ok) return boundTo
  const diesAt = readTimes(claims, expected)
  if (!diesAt.ok) return diesAt
  const jti = expected.sendsJti ? readJti(claims["jti"]) : ok(null)
  if (!jti.ok) return jti
  return ok({ boundTo: boundTo.value, diesAt: diesAt.value, jti: jti.value })
}

/** The audience is ours to the letter, or ours with the thumbprint of the job's key behind it; nothing is normalised. */
function readAudience(claim: ClaimValue | undefined, audience: string): Result<string | null, ClaimFault> {
  const said = Array.isArray(claim) && claim.length === 1 ? claim[0] : claim
  if (said === audience) return ok(null)
  const bound = audience + KEY_BINDING_SEPARATOR
  if (typeof said === "string" && said.startsWith(bound)) {
    const thumbprint = said.slice(bound.length)
    if (thumbprint.length === THUMBPRINT_CHARACTERS && isBase64url(thumbprint)) return ok(thumbprint)
    return fault(
      "token_audience_mismatch",
      `Behind ${KEY_BINDING_SEPARATOR} in its audience, the subject token has no SHA-256 thumbprint in base64url.`,
    )
  }
  const detail =
    typeof said === "string"
      ? `The subject token is for the audience ${quote(said)}; this broker's is ${quote(audience)}.`
      : `The subject token names no audience, or several; this broker takes one, ${quote(audience)}.`
  return fault("token_audience_mismatch", `${detail} Ask the runner for a token with that audience.`)
}

function readTimes(claims: Claims, expected: Expectation): Result<number, ClaimFault> {
  const { exp, iat, nbf } = claims
  if (!isTime(exp)) return fault("token_claims_invalid", wrongTime("exp", exp))
  if (!isTime(iat)) return fault("token_claims_invalid", wrongTime("iat", iat))
  if (nbf !== undefined && !isTime(nbf)) return fault("token_claims_invalid", wrongTime("nbf", nbf))

  const now = expected.now.getTime() / 1000
  const diesAt = exp + CLOCK_SKEW_SECONDS
  if (now >= diesAt)
    return fault(
      "token_expired",
      `The subject token expired at ${iso(exp)}; here it is ${iso(now)}. Ask the runner for a fresh one.`,
    )
  for (const [name, begins] of [
    ["iat", iat],
    ["nbf", nbf ?? iat],
  ] as const) {
    if (begins > now + CLOCK_SKEW_SECONDS) {
      return fault(
        "token_not_yet_valid",
        `The subject token's ${name} is ${iso(begins)}; here it is ${iso(now)}. See that both clocks are right.`,
      )
    }
  }
  if (exp <= iat) return fault("token_claims_invalid", "The subject token's exp is not after its iat.")
  if (exp - iat > expected.maxLifetimeSeconds) {
    return fault(
      "token_lifetime_too_long",
      `The subject token lives ${exp - iat} s; its issuer may let it live ${expected.maxLifetimeSeconds} s here.`,
    )
  }
  return ok(diesAt)
}

function readJti(claim: ClaimValue | undefined): Result<string, ClaimFault> {
  if (typeof claim === "string" && claim !== "" && claim.length <= MAX_JTI_CHARACTERS) return ok(claim)
  return fault("token_claims_invalid", `The subject token has no jti of 1 to ${MAX_JTI_CHARACTERS} characters.`)
}

function isTime(claim: ClaimValue | undefined): claim is number {
  return Number.isInteger(claim) && (claim as number) >= 0 && (claim as number) <= MAX_TIME
}

function wrongTime(name: string, claim: ClaimValue | undefined): string {
  const said = claim === undefined ? "is missing" : "is not a time in whole seconds"
  return `The subject token's ${name} ${said}.`
}

function iso(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().replace(".000", "")
}

function fault(code: ErrorCode, detail: string): Result<never, ClaimFault> {
  return fail({ code, detail })
}

const QUOTABLE = /^[\x20-\x7e]{1,100}$/

/** A claim's text for an error's detail: as it is when it is short printable ASCII, else left out. */
export function quote(text: string): string {
  return QUOTABLE.test(text) ? text : "(too long or not printable ASCII)"
}

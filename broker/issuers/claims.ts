import { isBase64url } from "../core/base64url.ts"
import type { FamilyFacts } from "../core/families/family-facts.ts"
import type { Claims, ClaimValue } from "../core/identity.ts"
import { fail, ok, type Result } from "../core/result.ts"
import type { ErrorCode } from "../wire/error-codes.ts"
import { KEY_BINDING_SEPARATOR } from "../wire/exchange.ts"

/** The allowed difference between an issuer's clock and ours, in seconds, in both directions. */
export const CLOCK_SKEW_SECONDS = 60

const MAX_JTI_CHARACTERS = 256
/** A SHA-256 in base64url. */
const THUMBPRINT_CHARACTERS = 43
/** The last second of the year 9999. Later times are mistakes, for example milliseconds. */
const MAX_TIME = 253_402_300_799

export interface Expectation {
  readonly audience: string
  /** The audiences that may stand beside it in one token. Left out: none. */
  readonly otherAudiences?: readonly string[]
  readonly now: Date
  readonly maxLifetimeSeconds: number
  /** Whether the issuer sends one. Sent only sometimes, it must still be well formed. */
  readonly jti: FamilyFacts["jti"]
}

/** The registered claims (RFC 7519 section 4.1), after they were checked. */
export interface RegisteredClaims {
  /** Thumbprint of the key that the token is bound to; null for a plain token. */
  readonly boundTo: string | null
  /** Unix seconds. */
  readonly issuedAt: number
  /** Unix seconds: the token is refused from this time on, skew included. */
  readonly diesAt: number
  /** Null for a token without `jti`, of an issuer that sends none. */
  readonly jti: string | null
}

export interface ClaimFault {
  readonly code: ErrorCode
  /** A whole sentence: which claim is wrong, what was expected, and what the token has. */
  readonly detail: string
}

/**
 * Checks the claims that have the same meaning for every issuer. The caller has verified the signature. Pure.
 *
 * Nothing is converted: a time must be an integer, an audience a string or a list of one string (or of the listed ones), and
 * a missing claim never counts as an empty one.
 */
export function checkRegisteredClaims(claims: Claims, expected: Expectation): Result<RegisteredClaims, ClaimFault> {
  const boundTo = readAudience(claims["aud"], expected)
  if (!boundTo.ok) return boundTo
  const times = readTimes(claims, expected)
  if (!times.ok) return times
  const jti = hasJti(claims["jti"], expected.jti) ? readJti(claims["jti"]) : ok(null)
  if (!jti.ok) return jti
  return ok({ boundTo: boundTo.value, ...times.value, jti: jti.value })
}

/** The audience must be exactly ours, or ours followed by the thumbprint of the job's key. Nothing is normalised. */
function readAudience(
  claim: ClaimValue | undefined,
  { audience, otherAudiences = [] }: Expectation,
): Result<string | null, ClaimFault> {
  const said: ClaimValue | undefined = Array.isArray(claim) && claim.length === 1 ? claim[0] : claim
  if (said === audience) return ok(null)
  if (Array.isArray(claim) && claim.length > 1 && otherAudiences.length > 0) {
    return readAudiences(claim, audience, otherAudiences)
  }
  const bound = audience + KEY_BINDING_SEPARATOR
  if (typeof said === "string" && said.startsWith(bound)) {
    const thumbprint = said.slice(bound.length)
    if (thumbprint.length === THUMBPRINT_CHARACTERS && isBase64url(thumbprint)) return ok(thumbprint)
    return fault(
      "token_audience_mismatch",
      `The subject token's audience must have a SHA-256 thumbprint in base64url after ${KEY_BINDING_SEPARATOR}.`,
    )
  }
  // The thumbprint is left out, because people configure only the part before it.
  const detail =
    typeof said === "string"
      ? `The subject token is for the audience ${quote(said.split(KEY_BINDING_SEPARATOR)[0] ?? "")}, and this broker accepts only ${quote(audience)}.`
      : `The subject token must have exactly one audience, ${quote(audience)}.`
  return fault("token_audience_mismatch", detail)
}

/** A token for several audiences. Whoever receives it could present it here, so every one of them must be listed. */
function readAudiences(
  said: readonly ClaimValue[],
  audience: string,
  others: readonly string[],
): Result<null, ClaimFault> {
  if (!said.includes(audience)) {
    return fault(
      "token_audience_mismatch",
      `The subject token is for several audiences, and ${quote(audience)} is not among them.`,
    )
  }
  if (new Set(said).size < said.length) {
    return fault("token_audience_mismatch", "The subject token names one of its audiences twice.")
  }
  const stranger = said.find((one) => one !== audience && (typeof one !== "string" || !others.includes(one)))
  if (stranger === undefined) return ok(null)
  const named = typeof stranger === "string" ? quote(stranger) : "(not a string)"
  return fault(
    "token_audience_mismatch",
    `The subject token is also for the audience ${named}, which the key other_audiences of its issuer does not list.`,
  )
}

function readTimes(
  claims: Claims,
  expected: Expectation,
): Result<Pick<RegisteredClaims, "issuedAt" | "diesAt">, ClaimFault> {
  const { exp, iat, nbf } = claims
  if (!isTime(exp)) return fault("token_claims_invalid", wrongTime("exp", exp))
  if (!isTime(iat)) return fault("token_claims_invalid", wrongTime("iat", iat))
  if (nbf !== undefined && !isTime(nbf)) return fault("token_claims_invalid", wrongTime("nbf", nbf))

  const now = expected.now.getTime() / 1000
  const diesAt = exp + CLOCK_SKEW_SECONDS
  if (now >= diesAt)
    return fault(
      "token_expired",
      `The subject token expired at ${iso(exp)} by the issuer's clock, and the broker's clock says ${iso(now)}.`,
    )
  for (const [name, begins] of [
    ["iat", iat],
    ["nbf", nbf ?? iat],
  ] as const) {
    if (begins > now + CLOCK_SKEW_SECONDS) {
      return fault(
        "token_not_yet_valid",
        `The subject token is valid only from ${iso(begins)} (${name}) by the issuer's clock, and the broker's clock says ${iso(now)}.`,
      )
    }
  }
  if (exp <= iat) return fault("token_claims_invalid", "The subject token's exp must be later than its iat.")
  if (exp - iat > expected.maxLifetimeSeconds) {
    return fault(
      "token_lifetime_too_long",
      `The subject token has a lifetime of ${exp - iat} s, but this broker accepts at most ${expected.maxLifetimeSeconds} s from its issuer.`,
    )
  }
  return ok({ issuedAt: iat, diesAt })
}

const hasJti = (claim: ClaimValue | undefined, sent: Expectation["jti"]) =>
  sent === "always" || (sent === "sometimes" && claim !== undefined)

function readJti(claim: ClaimValue | undefined): Result<string, ClaimFault> {
  if (typeof claim === "string" && claim !== "" && claim.length <= MAX_JTI_CHARACTERS) return ok(claim)
  return fault("token_claims_invalid", `The subject token must have a jti of 1 to ${MAX_JTI_CHARACTERS} characters.`)
}

function isTime(claim: ClaimValue | undefined): claim is number {
  return Number.isInteger(claim) && (claim as number) >= 0 && (claim as number) <= MAX_TIME
}

function wrongTime(name: string, claim: ClaimValue | undefined): string {
  const said = claim === undefined ? "is missing" : "must be a time in whole seconds"
  return `The subject token's ${name} ${said}.`
}

function iso(seconds: number): string {
  return new Date(Math.floor(seconds) * 1000).toISOString().replace(".000", "")
}

function fault(code: ErrorCode, detail: string): Result<never, ClaimFault> {
  return fail({ code, detail })
}

const QUOTABLE = /^[\x20-\x7e]{1,100}$/

/** A claim's text for an error's detail. Short printable ASCII is shown; any other text is left out. */
export function quote(text: string): string {
  return QUOTABLE.test(text) ? text : "(too long or not printable ASCII)"
}

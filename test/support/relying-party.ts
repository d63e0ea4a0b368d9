import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
} from "jose"

/** Whose tokens a service takes, and for which audiences. */
export interface TrustedIssuer {
  readonly issuer: string
  readonly audiences: readonly string[]
}

/**
 * Why a service does not take an identity token; each service says it in its own words. `keys-unavailable`: the issuer
 * gives no answer. `keys-unusable`: it gives one that nobody could verify with.
 */
export type TokenFault =
  | "malformed"
  | "issuer-unknown"
  | "keys-unavailable"
  | "keys-unusable"
  | "signature"
  | "audience"
  | "expired"
  | "not-yet-valid"

export class TokenRefusal extends Error {
  override readonly name = "TokenRefusal"
  readonly fault: TokenFault

  constructor(fault: TokenFault) {
    super(`the identity token is refused: ${fault}`)
    this.fault = fault
  }
}

/** It only ends what hangs. */
const FETCH_TIMEOUT_MS = 60_000
const MAX_DOCUMENT_BYTES = 64 * 1024
const MAX_KEYS = 100
const MIN_MODULUS_CHARACTERS = 342 // 2048 bits in base64url
/** Lists that OpenID Connect Discovery 1.0 requires, and that IAM names in its requirements. */
const DISCOVERY_LISTS = ["response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"]
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

/**
 * Verifies an identity token as a relying party does: the issuer must be one of the trusted, its discovery document and
 * keys are fetched each time, so that the keys of now count, only RS256 counts, and `aud` must be exactly one of the
 * issuer's audiences. Where the services differ, it is as strict as the strictest, except for clocks: `leewaySeconds` is
 * how far a service lets them differ.
 *
 * @throws {TokenRefusal}
 */
export async function verifyIdentityToken(
  token: string,
  trusted: readonly TrustedIssuer[],
  leewaySeconds = 0,
): Promise<JWTPayload> {
  const claimed = claimedIssuer(token)
  const party = trusted.find(({ issuer }) => issuer === claimed)
  if (!party) throw new TokenRefusal("issuer-unknown")
  const keys = createLocalJWKSet(await fetchKeys(party.issuer))
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["RS256"],
      issuer: party.issuer,
      requiredClaims: ["sub", "aud", "exp", "iat", "jti"],
      clockTolerance: leewaySeconds,
    })
    if (typeof payload.aud !== "string" || !party.audiences.includes(payload.aud)) throw new TokenRefusal("audience")
    if ((payload.iat ?? 0) > Date.now() / 1000 + leewaySeconds) throw new TokenRefusal("not-yet-valid")
    return payload
  } catch (error) {
    if (error instanceof TokenRefusal) throw error
    if (error instanceof errors.JWTExpired) throw new TokenRefusal("expired")
    if (error instanceof errors.JWTClaimValidationFailed)
      throw new TokenRefusal(error.claim === "nbf" ? "not-yet-valid" : "malformed")
    throw new TokenRefusal("signature")
  }
}

/** What a token says of its issuer. One that names no key or has no signature is not looked at any further. */
function claimedIssuer(token: string): unknown {
  try {
    const { iss } = decodeJwt(token)
    if (typeof decodeProtectedHeader(token).kid === "string" && !token.endsWith(".")) return iss
  } catch {
    // No JSON: the same refusal as for any other text that is no token.
  }
  throw new TokenRefusal("malformed")
}

async function fetchKeys(issuer: string): Promise<JSONWebKeySet> {
  const discovery = await fetchJson(`${issuer}/.well-known/openid-configuration`)
  const isComplete = DISCOVERY_LISTS.every((name) => Array.isArray(discovery[name]) && discovery[name].length > 0)
  if (discovery["issuer"] !== issuer || typeof discovery["jwks_uri"] !== "string" || !isComplete)
    throw new TokenRefusal("keys-unusable")
  const { keys } = await fetchJson(discovery["jwks_uri"])
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS || !keys.every(isSigningKey))
    throw new TokenRefusal("keys-unusable")
  return { keys } as JSONWebKeySet
}

/** One key that no service takes spoils the set: whoever published a private half has lost it to everybody. */
function isSigningKey(key: unknown): boolean {
  const jwk = (typeof key === "object" && key !== null ? key : {}) as Readonly<Record<string, unknown>>
  const modulus = typeof jwk["n"] === "string" ? jwk["n"] : ""
  const isPublic = PRIVATE_MEMBERS.every((member) => !Object.hasOwn(jwk, member))
  return jwk["kty"] === "RSA" && typeof jwk["kid"] === "string" && isPublic && modulus.length >= MIN_MODULUS_CHARACTERS
}

async function fetchJson(url: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await fetchText(url)
  try {
    const parsed: unknown = Buffer.byteLength(text) <= MAX_DOCUMENT_BYTES ? JSON.parse(text) : null
    if (typeof parsed === "object" && parsed !== null) return parsed as Record<string, unknown>
  } catch {
    // No JSON.
  }
  throw new TokenRefusal("keys-unusable")
}

async function fetchText(url: string): Promise<string> {
  try {
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) })
    const text = await response.text()
    if (response.status === 200) return text
  } catch {
    // No answer.
  }
  throw new TokenRefusal("keys-unavailable")
}

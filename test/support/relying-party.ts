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

/** Why a service does not take an identity token; each service says it in its own words. */
export type TokenFault =
  | "malformed"
  | "issuer-unknown"
  | "keys-unavailable"
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

const FETCH_TIMEOUT_MS = 3_000
const MAX_DOCUMENT_BYTES = 64 * 1024

/**
 * Verifies an identity token as a relying party does: the issuer must be one of the trusted, its discovery document and
 * keys are fetched each time, only RS256 counts, and `aud` must be exactly one of the issuer's audiences.
 *
 * @throws {TokenRefusal}
 */
export async function verifyIdentityToken(token: string, trusted: readonly TrustedIssuer[]): Promise<JWTPayload> {
  const claimed = claimedIssuer(token)
  const party = trusted.find(({ issuer }) => issuer === claimed)
  if (!party) throw new TokenRefusal("issuer-unknown")
  const keys = createLocalJWKSet(await fetchKeys(party.issuer))
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ["RS256"],
      issuer: party.issuer,
      requiredClaims: ["sub", "aud", "exp", "iat", "jti"],
    })
    if (typeof payload.aud !== "string" || !party.audiences.includes(payload.aud)) throw new TokenRefusal("audience")
    if ((payload.iat ?? 0) > Date.now() / 1000 + 1) throw new TokenRefusal("not-yet-valid")
    return payload
  } catch (error) {
    if (error instanceof TokenRefusal) throw error
    if (error instanceof errors.JWTExpired) throw new TokenRefusal("expired")
    if (error instanceof errors.JWTClaimValidationFailed)
      throw new TokenRefusal(error.claim === "nbf" ? "not-yet-valid" : "malformed")
    throw new TokenRefusal("signature")
  }
}

function claimedIssuer(token: string): unknown {
  try {
    if (typeof decodeProtectedHeader(token).kid !== "string") throw new TokenRefusal("malformed")
    return decodeJwt(token).iss
  } catch {
    throw new TokenRefusal("malformed")
  }
}

async function fetchKeys(issuer: string): Promise<JSONWebKeySet> {
  const discovery = await fetchJson(`${issuer}/.well-known/openid-configuration`)
  if (discovery["issuer"] !== issuer || typeof discovery["jwks_uri"] !== "string")
    throw new TokenRefusal("keys-unavailable")
  const { keys } = await fetchJson(discovery["jwks_uri"])
  if (!Array.isArray(keys) || keys.length === 0) throw new TokenRefusal("keys-unavailable")
  return { keys } as JSONWebKeySet
}

async function fetchJson(url: string): Promise<Record<string, unknown>> {
  try {
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) })
    const text = await response.text()
    if (response.status !== 200 || text.length > MAX_DOCUMENT_BYTES) throw new Error("not usable")
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    throw new TokenRefusal("keys-unavailable")
  }
}

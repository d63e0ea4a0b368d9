import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose"
import { StsRefusal } from "./answer.ts"
import { readSessionTags } from "./session-tags.ts"

const MAX_DOCUMENT_BYTES = 128 * 1024
const FETCH_TIMEOUT_MS = 5000
const MAX_KEYS = 100
const MIN_MODULUS_CHARACTERS = 342 // 2048 bits in base64url

/** What a verified web identity token says. */
export interface WebIdentity {
  readonly issuer: string
  readonly audience: string
  readonly subject: string
  readonly tags: Readonly<Record<string, string>>
  readonly transitiveTagKeys: readonly string[]
}

/** An IAM OIDC provider: an issuer that an account trusts, and for which client ids. */
export interface OidcProvider {
  readonly issuer: string
  readonly audiences: readonly string[]
}

/**
 * Verifies a web identity token as STS does: asks the issuer for its discovery document and keys over HTTP, then checks
 * signature, issuer, audience, times, subject and session tags. Nothing is cached, so each call sees the keys of now.
 * @throws {StsRefusal}
 */
export async function verifyWebIdentity(token: string, providers: readonly OidcProvider[]): Promise<WebIdentity> {
  const claimed = peekIssuer(token)
  const provider = providers.find(({ issuer }) => issuer === claimed)
  if (!provider) {
    throw new StsRefusal("InvalidIdentityToken", `No OpenIDConnect provider found in your account for ${claimed}`)
  }
  const keys = await fetchKeys(provider.issuer)
  const claims = await verifySignature(token, keys, provider)
  const subject = claims.sub ?? ""
  if (subject.length < 6 || subject.length > 255) {
    throw new StsRefusal("InvalidIdentityToken", "The subject of the token has between 6 and 255 characters")
  }
  return { issuer: provider.issuer, audience: claims.aud as string, subject, ...readSessionTags(claims) }
}

function peekIssuer(token: string): string {
  try {
    const [, payload, signature] = token.split(".")
    const issuer = signature && JSON.parse(Buffer.from(payload ?? "", "base64url").toString("utf8")).iss
    if (typeof issuer === "string") return issuer
  } catch {
    // Not JSON: the same refusal as for any other text that is not a token.
  }
  throw new StsRefusal("InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
}

/** The members are those that OpenID Connect Discovery 1.0 requires and IAM names in its requirements. */
async function fetchKeys(issuer: string): Promise<JSONWebKeySet> {
  const discovery = await fetchJson(`${issuer}/.well-known/openid-configuration`)
  const lists = ["response_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported"]
  const complete = lists.every((name) => Array.isArray(discovery[name]) && discovery[name].length > 0)
  if (discovery["issuer"] !== issuer || typeof discovery["jwks_uri"] !== "string" || !complete) {
    throw new StsRefusal("InvalidIdentityToken", "OpenIDConnect provider's discovery document is not usable")
  }
  const { keys } = await fetchJson(discovery["jwks_uri"])
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MAX_KEYS || !keys.every(isSigningKey)) {
    throw new StsRefusal("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider")
  }
  return { keys } as JSONWebKeySet
}

function isSigningKey(key: unknown): boolean {
  const jwk = (typeof key === "object" && key !== null ? key : {}) as Record<string, unknown>
  const isPublic = ["d", "p", "q", "dp", "dq", "qi"].every((member) => !(member in jwk))
  const modulus = typeof jwk["n"] === "string" ? jwk["n"] : ""
  return jwk["kty"] === "RSA" && typeof jwk["kid"] === "string" && isPublic && modulus.length >= MIN_MODULUS_CHARACTERS
}

async function fetchJson(url: string): Promise<Record<string, unknown>> {
  const failure = new StsRefusal("IDPCommunicationError", "Couldn't communicate with your identity provider")
  let text: string
  try {
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) })
    text = await response.text()
    if (response.status !== 200) throw failure
  } catch {
    throw failure
  }
  try {
    if (Buffer.byteLength(text) <= MAX_DOCUMENT_BYTES) return JSON.parse(text) as Record<string, unknown>
  } catch {
    // Falls through: an answer that is not JSON.
  }
  throw new StsRefusal("InvalidIdentityToken", "Couldn't read the answer of your identity provider")
}

async function verifySignature(token: string, keys: JSONWebKeySet, provider: OidcProvider): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
      algorithms: ["RS256"],
      issuer: provider.issuer,
      requiredClaims: ["sub", "aud", "exp", "iat"],
    })
    if (protectedHeader.kid === undefined) throw new StsRefusal("InvalidIdentityToken", "The token names no key")
    if (typeof payload.aud !== "string" || !provider.audiences.includes(payload.aud)) {
      throw new StsRefusal("InvalidIdentityToken", "Incorrect token audience")
    }
    if ((payload.iat ?? 0) > Date.now() / 1000) throw new StsRefusal("InvalidIdentityToken", "Token is from the future")
    return payload
  } catch (error) {
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): StsRefusal {
  if (error instanceof StsRefusal) return error
  if (error instanceof errors.JWTExpired) {
    const now = Math.floor(Date.now() / 1000)
    const message = `Token expired: current date/time ${now} must be before the expiration date/time ${error.payload.exp}`
    return new StsRefusal("ExpiredTokenException", message)
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new StsRefusal("InvalidIdentityToken", `The claim ${error.claim} of the token is not acceptable`)
  }
  return new StsRefusal("InvalidIdentityToken", "The token's signature does not verify")
}

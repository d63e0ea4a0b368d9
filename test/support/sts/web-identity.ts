import { decodeJwt, type JWTPayload } from "jose"
import { type TokenFault, TokenRefusal, type TrustedIssuer, verifyIdentityToken } from "../relying-party.ts"
import { StsRefusal } from "./answer.ts"
import { readSessionTags } from "./session-tags.ts"

const MIN_SUBJECT_CHARACTERS = 6
const MAX_SUBJECT_CHARACTERS = 255

/** What a verified web identity token says. */
export interface WebIdentity {
  readonly issuer: string
  readonly audience: string
  readonly subject: string
  readonly tags: Readonly<Record<string, string>>
  readonly transitiveTagKeys: readonly string[]
}

/**
 * Verifies a web identity token as STS does: as any relying party, for the OIDC providers of the account; then its subject
 * and its session tags.
 * @throws {StsRefusal}
 */
export async function verifyWebIdentity(token: string, providers: readonly TrustedIssuer[]): Promise<WebIdentity> {
  const claims = await verifyIdentityToken(token, providers).catch((error: unknown) => {
    throw error instanceof TokenRefusal ? refusalOf(error.fault, token) : error
  })
  const { iss = "", aud = "", sub = "" } = claims as JWTPayload & { readonly aud?: string }
  if (sub.length < MIN_SUBJECT_CHARACTERS || sub.length > MAX_SUBJECT_CHARACTERS) {
    throw new StsRefusal("InvalidIdentityToken", "The subject of the token has between 6 and 255 characters")
  }
  return { issuer: iss, audience: aud, subject: sub, ...readSessionTags(claims) }
}

function refusalOf(fault: TokenFault, token: string): StsRefusal {
  if (fault === "keys-unavailable")
    return new StsRefusal("IDPCommunicationError", "Couldn't communicate with your identity provider")
  if (fault === "expired") {
    const now = Math.floor(Date.now() / 1000)
    const message = `Token expired: current date/time ${now} must be before the expiration date/time ${decodeJwt(token).exp}`
    return new StsRefusal("ExpiredTokenException", message)
  }
  if (fault === "issuer-unknown") {
    const message = `No OpenIDConnect provider found in your account for ${decodeJwt(token).iss}`
    return new StsRefusal("InvalidIdentityToken", message)
  }
  return new StsRefusal("InvalidIdentityToken", INVALID[fault])
}

const INVALID: Readonly<Record<Exclude<TokenFault, "keys-unavailable" | "expired" | "issuer-unknown">, string>> = {
  malformed: "The ID Token provided is not a valid JWT, or lacks a claim",
  "keys-unusable": "Couldn't retrieve verification key from your identity provider",
  signature: "The token's signature does not verify",
  audience: "Incorrect token audience",
  "not-yet-valid": "The token is not valid yet",
}

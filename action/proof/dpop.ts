import { createHash } from "node:crypto"
import type { PublicJwk } from "../../broker/wire/exchange.ts"

/** A key on P-256 that a job's calls prove. */
export interface ProofKey {
  readonly publicJwk: PublicJwk
  /** An ES256 signature of a text (RFC 7518, section 3.4), base64url. */
  sign(text: string): string
}

export interface ProvedCall {
  /** In capitals. */
  readonly method: string
  /** Of this very call, as it is sent. Query and fragment are left out. */
  readonly url: string | URL
  /** The subject token, exactly as it is sent. */
  readonly token: string
  readonly now: Date
  /** A text that was never used before, for example a random UUID. A broker accepts each once. */
  readonly jti: string
}

/**
 * A DPoP proof (RFC 9449): the value of the header `DPoP` of one call. With proofs of the key that its first call proved, a
 * subject token can be used for several calls. Make a new one for each call and for each retry.
 */
export function dpopProof({ publicJwk, sign }: ProofKey, { method, url, token, now, jti }: ProvedCall): string {
  const { origin, pathname } = new URL(url)
  const { kty, crv, x, y } = publicJwk
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }
  const iat = Math.floor(now.getTime() / 1000)
  const payload = {
    jti,
    htm: method,
    htu: `${origin}${pathname}`,
    iat,
    ath: createHash("sha256").update(token).digest("base64url"),
  }
  const signed = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".")
  return `${signed}.${sign(signed)}`
}

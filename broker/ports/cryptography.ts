import type { KeyMaterial, SignatureAlgorithm } from "../core/public-key.ts"
import type { Secret } from "../core/secret.ts"
import type { PublicJwk } from "../wire/exchange.ts"

/**
 * The cryptography of an exchange. `adapters/web` implements it with jose over WebCrypto, for workerd and the command line;
 * `adapters/node` with `node:crypto`. On Node, a call of WebCrypto costs more processor time than a hash or a key agreement
 * itself.
 *
 * Both accept and refuse the same. A key here can do one thing, and none can be exported. No error shows a key or a text.
 */
export interface Cryptography {
  /** SHA-256 over a text in UTF-8, base64url. */
  digest(text: string): string
  /** Imports a public key for one algorithm. Null when it cannot be used with it: see `readPublicKey` for safe keys. */
  verifyingKey(key: KeyMaterial, algorithm: SignatureAlgorithm): Promise<VerifyingKey | null>
  /** Imports an RSA key of at least 2048 bits (PKCS#8, DER). Null when it is none. */
  signingKey(pkcs8: Secret<Uint8Array>): Promise<SigningKey | null>
  /** Imports a job's key. Null when its coordinates are not a point on P-256. */
  recipientKey(key: PublicJwk): Promise<RecipientKey | null>
  /** A key that wraps the keys of values at rest. @param key 32 bytes */
  wrappingKey(key: Secret<Uint8Array>): WrappingKey
}

export interface VerifyingKey {
  /**
   * Whether the signature of a compact JWS (RFC 7515) is this key's.
   *
   * @param token in the form that `parseJws` demands
   * @param alg the algorithm in the token's header; false when it is not the key's
   */
  verifies(token: string, alg: string): Promise<boolean>
}

export interface SigningKey {
  /** Signs claims unchanged: a compact JWS with RS256, `typ` JWT. */
  sign(claims: object, kid: string): Promise<string>
}

export interface RecipientKey {
  /** Encrypts JSON as a compact JWE (RFC 7516; ECDH-ES, A256GCM, `cty` json) that only the key's private half opens. */
  encrypt(json: string): Promise<string>
}

/** What a sealed value names in its protected header, which the cipher authenticates. */
export interface SealedHeader {
  readonly kid: string
  readonly place: string
}

export interface WrappingKey {
  /** Encrypts a text as a compact JWE: AES-256-GCM under its own key, which this key wraps (A256GCMKW). */
  seal(text: string, header: SealedHeader): Promise<string>
  /** Null when the text was changed, or was sealed under another key or in another form. */
  open(sealed: string): Promise<string | null>
}

/**
 * One use of a subject token. Tokens are identified by their verified contents, because the same token can have several
 * texts.
 */
export interface TokenUse {
  /** SHA-256 over the issuer's URL and the `jti`, base64url. Each key can be used once. */
  readonly key: string
  /** Unix seconds: the token's `iat`. */
  readonly issuedAt: number
  /**
   * Unix seconds: the latest time at which the token can be valid, clock skew included. After it, the entry may be deleted.
   */
  readonly expiresAt: number
  /**
   * Present when the call proves a key (RFC 9449). The first use of the token binds it to that key. Later uses need a new
   * proof of the same key. A token whose first use proved no key cannot be used again.
   */
  readonly proof?: ProofUse
}

/** One use of a DPoP proof, which was made for this token. */
export interface ProofUse {
  /** The RFC 7638 thumbprint of the key that signed the proof. */
  readonly thumbprint: string
  /** SHA-256 over the proof's `jti`, base64url. Each can be used once with a token. */
  readonly id: string
}

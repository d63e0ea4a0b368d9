import type { Claims, Identity } from "../core/identity.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import type { Result } from "../core/result.ts"

/**
 * Signature algorithms that an issuer may use. Only RSA: every known issuer uses it, and fewer kinds of keys allow fewer
 * mistakes.
 */
export type SignatureAlgorithm = "RS256" | "RS384" | "RS512"

/**
 * Where an issuer publishes its keys: in the JWKS that its OpenID discovery document names, or, without such a document, at
 * a path below the issuer's URL.
 */
export type KeySource = { readonly by: "discovery" } | { readonly by: "path"; readonly path: string }

/**
 * A kind of issuer: the properties of its tokens, as data, and how its claims become an identity.
 *
 * All checks are in `verify.ts` and common to all families. A family only describes its tokens, so it cannot forget a
 * check.
 */
export interface IssuerFamily {
  /** The value of `family:` in the organisation file. */
  readonly name: string
  readonly algorithms: readonly SignatureAlgorithm[]
  /** The longest `exp - iat` of its tokens, in seconds. An organisation can lower it, never raise it. */
  readonly maxTokenLifetimeSeconds: number
  /** False for issuers without `jti`: then the digest of header and payload identifies a used token. */
  readonly sendsJti: boolean
  readonly keys: KeySource
  /** Claims that every token of this family has, as strings. Checked before `identify` is called. */
  readonly requiredStrings: readonly string[]
  /**
   * Turns verified claims into an identity. The fault is a sentence: which claim is wrong, and how.
   *
   * The claims have a verified signature and contain all of `requiredStrings`. Pure.
   */
  identify(claims: Claims, issuer: IssuerConfig): Result<Identity, string>
}

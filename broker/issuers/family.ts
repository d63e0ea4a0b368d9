import type { Claims, Identity } from "../core/identity.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import type { Result } from "../core/result.ts"

/** Signature algorithms that an issuer may use. RSA only: every issuer we know signs so, and one kind of key is one kind of mistake. */
export type SignatureAlgorithm = "RS256" | "RS384" | "RS512"

/**
 * Where an issuer's public keys stand: in the JWKS that its OpenID discovery document names, or at a path below the
 * issuer's URL, for issuers that publish no discovery document.
 */
export type KeySource = { readonly by: "discovery" } | { readonly by: "path"; readonly path: string }

/**
 * A kind of issuer: what is true of each of its tokens, as data, and how its claims become an identity.
 *
 * Everything that verification does is common to all families and stands in `verify.ts`; a family can only say what
 * its tokens look like, so none of them can forget a check.
 */
export interface IssuerFamily {
  /** As `family:` in the organisation file spells it. */
  readonly name: string
  readonly algorithms: readonly SignatureAlgorithm[]
  /** The longest `exp - iat` that its tokens ever have, in seconds. An organisation can lower it, never raise it. */
  readonly maxTokenLifetimeSeconds: number
  /** False for issuers without `jti`: the digest of header and payload then makes a token single-use. */
  readonly sendsJti: boolean
  readonly keys: KeySource
  /** Claims that are in every token of this family, and are strings. Checked before `identify` is asked. */
  readonly requiredStrings: readonly string[]
  /**
   * Turns verified claims into an identity, or says in a sentence which claim is wrong and how.
   *
   * Called with claims that carry a good signature and every one of `requiredStrings`. Pure.
   */
  identify(claims: Claims, issuer: IssuerConfig): Result<Identity, string>
}

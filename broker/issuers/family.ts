import type { FamilyFacts } from "../core/families/family-facts.ts"
import type { Claims } from "../core/identity.ts"
import type { IssuerConfig } from "../core/policy/model.ts"
import type { SignatureAlgorithm } from "../core/public-key.ts"
import type { Result } from "../core/result.ts"

export type { SignatureAlgorithm } from "../core/public-key.ts"

/**
 * Where an issuer publishes its keys: in the JWKS that its OpenID discovery document names, or, without such a document, at
 * a path below the issuer's URL, or at a path of its host. `nowhere`: nothing is fetched, and no token verifies.
 */
export type KeySource =
  | {
      readonly by: "discovery"
      /** Issuers that keep their keys on another host of theirs: their URL -> the origin of the keys. */
      readonly elsewhere?: Readonly<Record<string, string>>
    }
  | { readonly by: "path"; readonly path: string }
  | { readonly by: "host-path"; readonly path: string }
  | { readonly by: "nowhere" }

/**
 * A kind of issuer: the properties of its tokens, as data, and the few checks that are its own.
 *
 * All checks that families share are in `verify.ts` and `identify.ts`. A family only describes its tokens, so it cannot
 * forget a check.
 */
export interface IssuerFamily {
  readonly facts: FamilyFacts
  readonly algorithms: readonly SignatureAlgorithm[]
  /** The organisation file can name another place, or list the keys. */
  readonly keys: KeySource
  /**
   * Values of `iss` that no organisation file can list, of tokens that must never count: a whole sentence for each, which
   * says what to use instead.
   */
  readonly retiredIssuers?: ReadonlyMap<string, string>
  /**
   * Further claims, made of the token's own: flattened, composed, or mapped by the organisation file. They win over claims of
   * the same name. The claims have a verified signature, and all that `facts` call `always` with their types. Pure. The fault
   * is the end of a sentence that begins with `In the subject token, `: which claim is wrong, and how.
   */
  derive?(claims: Claims, issuer: IssuerConfig): Result<Claims, string>
  /** What is wrong with the token beyond its claims' types; null when nothing is. `claims` include the derived ones. */
  check?(claims: Claims, issuer: IssuerConfig): string | null
}

import type { Claims, ClaimValue } from "../../broker/core/identity.ts"

/** The claims of one token as its issuer sends it. A test starts with them and changes some. */
export interface Sample {
  /** Which kind of job has such a token, for people. */
  readonly summary: string
  readonly claims: Readonly<Record<string, ClaimValue>>
  /** For a family whose subjects have several forms: the one that this token has. */
  readonly subject?: string
}

/** The samples of one issuer family. To add a family, write such a value and list it in `samples.ts`. */
export interface FamilySamples {
  /** The value of `family:` in the organisation file. */
  readonly family: string
  /** By name; the names of a family's samples begin alike: `gitlab-branch`. */
  readonly samples: Readonly<Record<string, Sample>>
  /**
   * Claims that depend on others, in the order in which they are made. The sample has none of them. One that a test sets
   * itself is never made. What the unit's name and id imply is known of every family, and not repeated here.
   */
  readonly follows: readonly (readonly [claim: string, made: (read: ClaimReader, sample: Sample) => string | null])[]
  /** By claim: claims of the sample that a token without it does not have either. */
  readonly goesWith?: ReadonlyMap<string, readonly string[]>
  /** By claim: claims of the sample that are no longer known when a test changes it, with what is assumed then. */
  readonly outdated?: ReadonlyMap<string, Readonly<Record<string, string>>>
  /** The token with these claims, where conditions know some by other names. */
  readonly token?: (claims: Claims) => Claims
}

/** A claim as text; empty when it is missing. */
export type ClaimReader = (claim: string) => string

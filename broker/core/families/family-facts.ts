import type { Caution, Claims } from "../identity.ts"
import type { ClaimFact, ClaimTable } from "./claim-fact.ts"
import type { UnitKind } from "./units.ts"

/**
 * What is known of an issuer family, as data: what its policies speak of, what its tokens say, and how long they live. How
 * its tokens are verified follows from it: see `broker/issuers/`.
 */
export interface FamilyFacts<Name extends string = string> {
  /** The value of `family:` in the organisation file. */
  readonly name: Name
  /** For sentences and pages: `GitHub Actions`. */
  readonly title: string
  readonly unit: UnitKind
  readonly claims: ClaimTable
  /** Families of claims whose names are an organisation's own, by prefix. */
  readonly prefixes?: ReadonlyMap<string, ClaimFact>
  /** Which claim says what. A family that has no such claim leaves the role out. */
  readonly roles: ClaimRoles
  /**
   * What an `allow` must name and no single value says, such as a fork's run. One with a claim and a value must be found from
   * this claim alone, too: the analysis asks with parts of a token.
   */
  readonly furtherCautions?: (claims: Claims) => readonly Caution[]
  /** The form of a unit's id in a policy. */
  readonly unitId: IdForm
  /** The form of a unit's name in a policy, where it has one. */
  readonly unitName?: TextForm
  /** The form of an owner's id in `owners:`. Left out: the issuer is the owner, and the file lists none. */
  readonly ownerId?: TextForm
  /** Whether a policy may speak of all units of an owner whose names match a pattern: names must then begin with the owner's. */
  readonly patterns: boolean
  /** How to find a unit's id, as the end of `Find it with: `. */
  readonly findId: (unit: string) => string
  /** The longest `exp - iat` that the issuer makes, in seconds. */
  readonly maxTokenLifetimeSeconds: number
  /** Without `jti`, the digest of header and payload identifies a used token. */
  readonly jti: "always" | "sometimes" | "never"
  /**
   * Who chooses the audience. `job`: it asks for any audience while it runs, so its tokens can be bound to a key.
   * `setting`: it is written down before the job starts. `issuer`: it is always the issuer's, so the organisation file
   * says which one is accepted.
   */
  readonly audience: "job" | "setting" | "issuer"
}

/** The names of claims, by what they say. Claims that the family derives count like those of the token. */
export interface ClaimRoles {
  readonly unitId: string
  readonly unit?: string
  readonly ownerId?: string
  readonly owner?: string
  readonly environment?: string
  readonly ref?: string
  readonly refType?: string
  readonly event?: string
  readonly actor?: string
  readonly actorId?: string
  readonly runId?: string
  readonly runAttempt?: string
}

export interface TextForm {
  readonly pattern: RegExp
  /** A whole sentence without its full stop: `an id is a text of digits, such as "41"`. */
  readonly words: string
}

export interface IdForm extends TextForm {
  /** The longest id: what is made of ids must fit with it. */
  readonly longest: string
}

/** An id in decimal digits. No leading zero: an id must have only one spelling, because ids are compared as text. */
export const DIGITS: IdForm = {
  pattern: /^[1-9][0-9]{0,19}$/,
  words: 'an id is a text of digits, such as "41"',
  longest: "9".repeat(20),
}

import type { Caution, Claims } from "../identity.ts"
import type { KeySpelling, KeyType } from "../public-key.ts"
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
  /** The form of an environment in a policy. Left out: any name. */
  readonly environmentName?: TextForm
  /** The key with which jobs name their environment, in the CI's own file. Left out: a claim says it by other means. */
  readonly environmentKey?: string
  /** How environments are protected. Left out: it is never known, so no `protected_environment` is ever met. */
  readonly protection?: ProtectionWords
  /** True when units may keep policies of their own, which the broker can read. */
  readonly keepsPolicies?: true
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
  /**
   * Claims of the table that the organisation file may take from other claims of the token, with `claims:`. For issuers whose
   * administrators choose the names.
   */
  readonly mapped?: readonly string[]
  /** The types of the keys that its issuers sign with; left out: every type. Another key in an organisation file is a fault. */
  readonly keyTypes?: readonly KeyType[]
  /** How its issuers write their keys, where it is not as RFC 7518 says. */
  readonly keySpelling?: KeySpelling
  /**
   * True when a token can have several audiences. Each of them could present the token here, so the organisation file lists
   * those that may stand beside the broker's.
   */
  readonly severalAudiences?: true
  /**
   * The URL of every issuer of the family, so that the organisation file lists none. Such an issuer is no server: its tokens are
   * made and taken in one process on a person's own machine, and no broker has a key for them.
   */
  readonly fixedUrl?: string
}

/** Whether every job runs in an environment. A policy without one would then match no job. */
export const alwaysHasEnvironment = ({ roles, claims }: FamilyFacts): boolean =>
  roles.environment !== undefined && claims.get(roles.environment)?.sent === "always"

/** Whether it can be known how an environment is protected. */
export const tellsProtection = ({ protection }: FamilyFacts): boolean => protection !== undefined

/** `protected`: branches with protection rules. `custom`: those that the environment lists. */
export type DeploymentBranches = "protected" | "custom"

/** What to change in an environment, in the words of its host. */
export interface ProtectionWords {
  /** What gives an environment some protection, whichever it is. */
  readonly any: string
  readonly reviewers: string
  readonly othersReview: string
  /** Which branches can deploy. Left out: environments have no such limit, so no demand for one is ever met. */
  readonly branches?: Readonly<Record<DeploymentBranches, string>>
  /** Where it is changed, as the end of a sentence: `in the repository's settings`. */
  readonly where: string
}

/** The names of claims, by what they say. Claims that the family derives count like those of the token. */
export interface ClaimRoles {
  readonly unitId: string
  readonly unit?: string
  readonly ownerId?: string
  readonly owner?: string
  readonly environment?: string
  /** Says "true" or "false": whether the environment is protected at its host. */
  readonly environmentProtected?: string
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

import type { UnitKind } from "./families/units.ts"

/** A claim's value, as in the issuer's JSON. */
export type ClaimValue =
  | string
  | number
  | boolean
  | null
  | readonly ClaimValue[]
  | { readonly [name: string]: ClaimValue }

/** The claims of one token, by name. Has no prototype, so that a claim's name cannot reach an inherited member. */
export type Claims = Readonly<Record<string, ClaimValue>>

/**
 * A verified caller: the contents of its subject token, under names that do not depend on the issuer.
 *
 * `unitId` and `ownerId` decide; the names are for people. `claims` are for conditions: those of the token, and those that
 * the family derives from them.
 */
export interface Identity {
  /** The issuer's name in the organisation file, for example `github`. */
  readonly issuer: string
  /** The token's `iss`. */
  readonly issuerUrl: string
  /** What the issuer's policies speak of: a repository, a project, a person. */
  readonly unitKind: UnitKind
  /** The unit's name. The id, where the token says no name. */
  readonly unit: string
  readonly unitId: string
  /** Whose unit it is. Where the issuer has no such id, both are the issuer's own: its host and its URL. */
  readonly owner: string
  readonly ownerId: string
  /** Absent for a job that runs in no environment. */
  readonly environment?: string
  /** Whether the environment is protected at its host, where the issuer's tokens say it. */
  readonly environmentProtected?: boolean
  /** Null, as the next ones, when the token does not say it. */
  readonly ref: string | null
  readonly refType: string | null
  readonly event: string | null
  readonly actor: string | null
  readonly actorId: string | null
  /** Run and attempt: what a lease belongs to. Empty when the token does not say it. */
  readonly runId: string
  readonly runAttempt: string
  /** What an `allow` must name, because it would surprise its author. */
  readonly cautions: readonly Caution[]
  readonly claims: Claims
}

/** Outsiders caused the job, or a person has a shell in it: an `allow` must name it. */
export interface Caution {
  readonly fact: "outsider" | "interactive"
  /** Why it is so, as the end of a sentence: `outsiders can cause it`. */
  readonly why: string
  /** The claim whose value says so; left out when it takes several claims to know. */
  readonly claim?: string
  readonly value?: string
}

/** What stands before the last slash of a unit's name. */
export const ownerOf = (unit: string): string => unit.slice(0, Math.max(0, unit.lastIndexOf("/")))

/** What stands after the last slash of a unit's name. */
export const shortName = (unit: string): string => unit.slice(unit.lastIndexOf("/") + 1)

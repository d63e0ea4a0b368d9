import type { Pattern } from "../../broker/core/policy/pattern.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import type { Witness } from "../regions/region.ts"
import type { ChangeSubject } from "../scopes/scope.ts"

/** A question; every given member must match. An empty query asks about every grant of every job. */
export interface WhoCanQuery {
  readonly connection?: string
  /** The grant's name. */
  readonly grant?: string
  /** A field of the grant must have a text that matches; in a map, below the named key. */
  readonly fields?: readonly FieldWish[]
  readonly unit?: Pattern
  readonly environment?: string
}

export interface FieldWish {
  /** `role`, or a key inside a map with dots: `claims.team`. */
  readonly key: string
  readonly pattern: Pattern
}

/** The jobs that can get a matching grant, rules without effect, and what is unknown. */
export interface WhoCan {
  readonly rows: readonly WhoCanRow[]
  readonly unreachable: readonly UnreachableRow[]
  /** Jobs that the analysis cannot decide about, with the reason. They may be able to get the grant. */
  readonly unknown: readonly {
    readonly subject: ChangeSubject
    readonly grant: string | null
    readonly reason: string
  }[]
}

/** A group of jobs that can get a grant: those that one rule allows. */
export interface WhoCanRow {
  readonly subject: ChangeSubject
  /** The repositories of a pattern that can get the grant; null if all of them can. */
  readonly only: string | null
  /** Null for a policy that a repository keeps for itself: it chooses the grant's name. */
  readonly grant: string | null
  /** The `sub` of the broker's identity tokens for this grant; null when the grant or the repository's id is not known. */
  readonly sub: string | null
  readonly connection: string
  readonly resource: string
  /** The longest lifetime that any of these jobs can get; null when nothing in the folder limits it. */
  readonly ttlSeconds: number | null
  /** The rule's conditions, in the policy's own words. */
  readonly conditions: readonly WrittenCondition[]
  /** Denies that refuse some of these jobs. */
  readonly unless: readonly WrittenRule[]
  readonly within: readonly WrittenBoundary[]
  /** How the policies require the environment to be protected. */
  readonly protectedEnvironment: readonly string[]
  /** Who must approve the job's run; null when nobody must. */
  readonly breakGlass: string | null
  /** The rule, or the entry of the boundary. */
  readonly place: { readonly name: string; readonly file: string; readonly line: number }
  /** A job that gets it. */
  readonly example: Witness
  /** False when several claims fill one text, so that the analysis cannot tell which jobs get exactly this text. */
  readonly proven: boolean
}

export interface WrittenCondition {
  readonly claim: string
  readonly expected: string
}

export interface WrittenRule {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly conditions: readonly WrittenCondition[]
}

/** A boundary that covers some of these jobs: whether it allows the grant, and what it requires. */
export interface WrittenBoundary {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly allows: boolean
  readonly require: readonly WrittenCondition[]
  readonly protectedEnvironment: string | null
  readonly maxTtlSeconds: number | null
  /** Of which of the jobs it requires that; empty for all of them. */
  readonly demandsOf: readonly WrittenCondition[]
}

/** A rule that allows a matching grant and by which no job gets it. */
export interface UnreachableRow {
  readonly subject: ChangeSubject
  readonly grant: string
  readonly place: WhoCanRow["place"]
  /** `denied`: other rules refuse every job, or the gaps cannot be filled. `ceiling`: the boundaries refuse every job. */
  readonly why: "denied" | "ceiling"
}

export interface WhoCanContext {
  readonly providers: ProviderSchemaTable
}

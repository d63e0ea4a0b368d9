import type { Pattern } from "../../broker/core/policy/pattern.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import type { Witness } from "../regions/region.ts"
import type { ChangeSubject } from "../scopes/scope.ts"

/** What is asked about: all that is given must hold. Nothing given: every grant of everybody. */
export interface WhoCanQuery {
  readonly connection?: string
  /** The grant's name. */
  readonly grant?: string
  /** A field of the grant has a text that matches. Of a map, one below the named key. */
  readonly fields?: readonly FieldWish[]
  readonly repository?: Pattern
  readonly environment?: string
}

export interface FieldWish {
  /** `role`, or with dots a key inside a map: `claims.team`. */
  readonly key: string
  readonly pattern: Pattern
}

/** Everybody who can get such a grant, and who only seems to. */
export interface WhoCan {
  readonly rows: readonly WhoCanRow[]
  readonly unreachable: readonly UnreachableRow[]
  /** Of whom nobody can tell, with the reason: they may be able to. */
  readonly unknown: readonly {
    readonly subject: ChangeSubject
    readonly grant: string | null
    readonly reason: string
  }[]
}

/** One shape of identity that can get a grant: the jobs that one rule allows it. */
export interface WhoCanRow {
  readonly subject: ChangeSubject
  /** The one repository, or some, of those that a pattern speaks of, when not all of them get such a grant. */
  readonly only: string | null
  /** Null for whatever a policy that a repository keeps for itself calls it. */
  readonly grant: string | null
  readonly connection: string
  readonly resource: string
  /** The longest lifetime that any of these jobs can have; null when nothing limits it here. */
  readonly ttlSeconds: number | null
  /** The rule's conditions, in the policy's own words. */
  readonly conditions: readonly WrittenCondition[]
  /** Denies that refuse some of these jobs. */
  readonly unless: readonly WrittenRule[]
  readonly within: readonly WrittenBoundary[]
  /** What the environment must be like, by a policy's own demand. */
  readonly protectedEnvironment: readonly string[]
  /** The rule, or the boundary's entry. */
  readonly place: { readonly name: string; readonly file: string; readonly line: number }
  /** A job that gets it. */
  readonly example: Witness
  /** False when several claims fill one text, so that nobody can tell which jobs get just this. */
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

/** A boundary over some of these jobs: whether it is one that allows the grant, and what it demands. */
export interface WrittenBoundary {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly allows: boolean
  readonly require: readonly WrittenCondition[]
  readonly protectedEnvironment: string | null
  readonly maxTtlSeconds: number | null
  /** Of which of the jobs it demands that; empty for all of them. */
  readonly demandsOf: readonly WrittenCondition[]
}

/** A rule that allows such a grant, and that nobody gets it by. */
export interface UnreachableRow {
  readonly subject: ChangeSubject
  readonly grant: string
  readonly place: WhoCanRow["place"]
  /** `denied`: other rules refuse all whom it allows, or nothing can be filled in. `ceiling`: the boundaries do. */
  readonly why: "denied" | "ceiling"
}

export interface WhoCanContext {
  readonly providers: ProviderSchemaTable
}

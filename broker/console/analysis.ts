import type { AuditRecord } from "../core/audit-record.ts"
import type { PolicySet } from "../core/policy/model.ts"
import type { LedgerKey } from "../ports/directory.ts"
import type { Trace } from "../wire/trace.ts"

/**
 * What policies mean for all jobs, as the console shows it. The broker's own rooms never import `analysis/`, on which no exchange
 * may depend: the entry that builds the console hands it in.
 */
export interface Analysis {
  /** Everything that jobs can get by these policies. */
  whoCan(set: PolicySet, query: { readonly connection?: string; readonly unit?: string }): WhoCanAnswer
  /** Decides a recorded denial again, from the claims in its record. Null for a record that is no decision. */
  decideAgain(
    found: LedgerKey & { readonly record: AuditRecord; readonly leaf: string },
    set: PolicySet,
  ): DecidedAgain | null
}

export interface WhoCanAnswer {
  readonly rows: readonly CanRow[]
  /** Jobs that the analysis cannot decide about. They may be able to get the grant. */
  readonly unknown: readonly { readonly grant: string | null; readonly reason: string }[]
}

/** A condition, in the policy's own words. */
export interface WrittenCondition {
  readonly claim: string
  readonly expected: string
}

/** Jobs that one rule gives a grant. */
export interface CanRow {
  readonly subject: {
    readonly issuer: string
    /** The unit's name; null when the rule covers every unit of the issuer. */
    readonly unit: string | null
    readonly unitId: string | null
    /** The job's environment; null when it has none; left out when the rule covers jobs with and without one. */
    readonly environment?: string | null
  }
  /** The units of a pattern that can get it; null: all. */
  readonly only: string | null
  /** Null for a policy that a repository keeps for itself. */
  readonly grant: string | null
  readonly connection: string
  readonly resource: string
  readonly ttlSeconds: number | null
  readonly conditions: readonly WrittenCondition[]
  /** Denies that refuse some of these jobs. */
  readonly unless: readonly { readonly name: string; readonly conditions: readonly WrittenCondition[] }[]
  /** Boundaries over these jobs, with what they require. */
  readonly within: readonly {
    readonly name: string
    readonly require: readonly WrittenCondition[]
    readonly protectedEnvironment: string | null
  }[]
  /** How the policies require the environment to be protected. */
  readonly protectedEnvironment: readonly string[]
  readonly place: { readonly name: string; readonly file: string; readonly line: number }
}

/** `unknown`: it depends on claims that the record does not have. `protected`: on how the environment is protected. */
export interface DecidedAgain {
  readonly outcome: "allow" | "deny" | "protected" | "unknown"
  readonly trace: Trace | null
}

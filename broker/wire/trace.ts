/**
 * The reasons for a decision, as data: each requested grant, each rule about it, and each condition of the rule with the
 * token's value. Sent only to callers whose verified unit owns the policies in it.
 */
export interface Trace {
  /** The job's unit and environment. The names are for people. */
  readonly subject: {
    readonly issuer: string
    /** `repository`, `project`, `service_account`, ... */
    readonly unit_kind: string
    readonly unit: string
    readonly unit_id: string
    readonly environment: string | null
  }
  /** The policy files that apply, in the folder's order. */
  readonly policies: readonly string[]
  /** Facts that did not influence the decision: a renamed unit, policies that could not be refreshed. */
  readonly notes: readonly string[]
  /** One entry per requested grant, in the order of the request. */
  readonly grants: readonly GrantTrace[]
}

export interface GrantTrace {
  readonly name: string
  readonly outcome: "allow" | "deny"
  /** The cause of the outcome, as one sentence. */
  readonly reason: string
  /** What to change for a different decision, as one sentence; absent when allowed. */
  readonly change?: string
  /** The lifetime granted, in seconds; absent when denied. */
  readonly ttl_seconds?: number
  /** The rules about the grant; empty when no policy for the job defines it. */
  readonly rules: readonly RuleTrace[]
  /** The organisation's boundaries for this grant; absent when a rule denies it, or no boundary covers the unit. */
  readonly boundaries?: readonly BoundaryTrace[]
}

export interface RuleTrace {
  readonly kind: "allow" | "deny"
  readonly name: string
  /** The policy file, relative to its folder, and the 1-based line where the rule starts. */
  readonly file: string
  readonly line: number
  readonly matched: boolean
  readonly conditions: readonly ConditionTrace[]
}

export interface ConditionTrace {
  readonly claim: string
  /** The condition in the policy's own words, for example `refs/heads/main` or `not github-hosted`. */
  readonly expected: string
  /** The token's value; null when the claim is missing. */
  readonly actual: string | null
  readonly matched: boolean
}

/** One boundary that covers the job's unit. */
export interface BoundaryTrace {
  readonly name: string
  /** The organisation file, and the 1-based line where the boundary starts. */
  readonly file: string
  readonly line: number
  /** Its whole `when` matches, so its `allow` applies. */
  readonly matched: boolean
  /** It matches, and one of its entries allows this grant. */
  readonly allows: boolean
  /** Its `when`, without the matching conditions on the unit's own claims. */
  readonly conditions: readonly ConditionTrace[]
  /** Its `require`; empty when the boundary does not apply to the job. */
  readonly required: readonly ConditionTrace[]
  /** The fields of the grant that the nearest entry of `allow` does not match. */
  readonly fields: readonly FieldTrace[]
  /** What to change in the environment's settings; empty when the boundary requires nothing of it. */
  readonly environment: readonly string[]
}

export interface FieldTrace {
  /** A key of the grant, with a dot before keys inside it. */
  readonly field: string
  readonly expected: string
  /** The grant's value; null when the grant leaves the field out. */
  readonly actual: string | null
}

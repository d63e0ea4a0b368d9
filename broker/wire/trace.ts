/**
 * Why a decision came out as it did, as data: each grant asked for, each rule that speaks of it, each condition of
 * that rule with what the token said. Sent only to callers whose verified repository owns the policies it tells of.
 */
export interface Trace {
  /** What was decided about, for people. */
  readonly subject: {
    readonly issuer: string
    readonly repository: string
    readonly repository_id: string
    readonly environment: string | null
  }
  /** The policy files that apply, in the folder's order. */
  readonly policies: readonly string[]
  /** Facts worth knowing that decided nothing: a renamed repository, policies that exist for other environments. */
  readonly notes: readonly string[]
  /** One entry a grant asked for, in the order asked. */
  readonly grants: readonly GrantTrace[]
}

export interface GrantTrace {
  readonly name: string
  readonly outcome: "allow" | "deny"
  /** One sentence: what decided. */
  readonly reason: string
  /** The lifetime granted, in seconds; absent when denied. */
  readonly ttl_seconds?: number
  readonly rules: readonly RuleTrace[]
  /** How the organisation's boundaries stand to it; absent where the rules refuse it, or no boundary is about the repository. */
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
  /** What the token said; null when the claim is missing. */
  readonly actual: string | null
  readonly matched: boolean
}

/** One boundary that is about the job's repository. */
export interface BoundaryTrace {
  readonly name: string
  /** The organisation file, and the 1-based line where the boundary starts. */
  readonly file: string
  readonly line: number
  /** All of its `when` matches, so that what it allows can be had. */
  readonly matched: boolean
  /** It matches, and one of its entries allows this grant. */
  readonly allows: boolean
  /** Its `when`, without what matches of the repository's own claims. */
  readonly conditions: readonly ConditionTrace[]
  /** Its `require`; empty where the boundary does not speak of the job. */
  readonly required: readonly ConditionTrace[]
  /** What keeps the grant from being one that the nearest entry allows. */
  readonly fields: readonly FieldTrace[]
  /** What the environment lacks; empty when the boundary asks nothing of it. */
  readonly environment: readonly string[]
}

export interface FieldTrace {
  /** A key of the grant, with a dot before keys inside it. */
  readonly field: string
  readonly expected: string
  /** What the grant says; null when it says nothing. */
  readonly actual: string | null
}

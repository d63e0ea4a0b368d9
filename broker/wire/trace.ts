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

import type { Grant, Policy, Rule } from "../../broker/core/policy/model.ts"
import { ok, type Result } from "../../broker/core/result.ts"
import { axisMemo, type Space } from "../regions/space.ts"
import type { TooComplex } from "../regions/too-complex.ts"
import { likenessOf, spaceOf } from "../scopes/alike.ts"
import { areComparable, TOO_MANY_PATTERNS } from "../scopes/pattern-pairs.ts"
import { type Scope, scopesOf } from "../scopes/scope.ts"
import { confirmedJob, type RefusedJob } from "./refused-job.ts"
import { type AllowFinding, findingsOf, type GrantFinding, ruleAt, type ScopeFindings } from "./scope-findings.ts"
import { lightest } from "./scope-weight.ts"
import type { Subject } from "./subject.ts"

/** What the analysis found about one grant of a policy, over all jobs that the policy applies to. */
export interface GrantStanding {
  readonly policy: Policy
  readonly grant: Grant
  /** Why some of these jobs were not analysed; null when all were. */
  tooComplex: string | null
  /** At least one allow names it. */
  isNamed: boolean
  /** At least one job matches an allow that names it. */
  isMatched: boolean
  /** The policies admit at least one job. */
  isAdmitted: boolean
  /** At least one job gets it, or the analysis cannot exclude that. */
  isReached: boolean
  /** For at least one admitted job, the analysis cannot decide whether a boundary allows it. */
  isUnproven: boolean
  /** A boundary covers at least one admitted job. */
  isBelow: boolean
  /** At least one admitted job is covered by no boundary. */
  isFree: boolean
  /** Jobs that the policies admit and the ceiling refuses: one example for each reason. */
  readonly refusedJobs: RefusedJob[]
}

/** What the analysis found about an allow and one of its grants. */
export interface AllowStanding {
  readonly policy: Policy
  readonly rule: Rule
  readonly grant: string
  /** It matches at least one job, in some scope. */
  isMatching: boolean
  /** Denies refuse every job that it matches. False when that was too complex to decide. */
  isDenied: boolean
  /** The denies that refuse at least one of these jobs. */
  readonly denies: Set<Rule>
}

export interface Standings {
  readonly grants: readonly GrantStanding[]
  readonly allows: readonly AllowStanding[]
  /** One policy of each scope that was not analysed, and why. */
  readonly tooComplex: readonly { readonly policy: Policy; readonly reason: string }[]
}

/** Analyses every scope, the lightest first, until the budget is used up. */
export function standingsOf(subject: Subject): Standings {
  const { set, dead } = subject
  const grants = new Map<Policy, Map<string, GrantStanding>>()
  const allows = new Map<Rule, Map<string, AllowStanding>>()
  for (const policy of set.policies) {
    grants.set(policy, new Map([...policy.grants].map(([name, grant]) => [name, unknownGrant(policy, grant)])))
    for (const rule of policy.allow) {
      const names = rule.grants === "all" ? [] : [...rule.grants]
      allows.set(rule, new Map(names.map((grant) => [grant, unknownAllow(policy, rule, grant)])))
    }
  }
  const tooComplex: { policy: Policy; reason: string }[] = []
  const giveUp = (policies: readonly Policy[], reason: string) => {
    const [policy] = policies
    if (policy !== undefined) tooComplex.push({ policy, reason })
    for (const one of policies) {
      for (const standing of grants.get(one)?.values() ?? []) standing.tooComplex ??= reason
      for (const rule of one.allow) for (const standing of allows.get(rule)?.values() ?? []) standing.isDenied = false
    }
  }
  const memo = axisMemo()
  const analysed = new Map<string, Result<ScopeFindings, TooComplex>>()
  const look = (scope: Scope): Result<ScopeFindings, TooComplex> => {
    const likeness = likenessOf(scope, set.organisation, dead)
    const before = likeness === null ? undefined : analysed.get(likeness)
    if (before !== undefined)
      return before.ok ? ok({ ...before.value, space: spaceOf(scope, before.value.space) }) : before
    const found = findingsOf({ scope, organisation: set.organisation }, dead, memo)
    if (likeness !== null) analysed.set(likeness, found)
    return found
  }
  const note = ({ policies, issuer }: Scope, findings: ScopeFindings) => {
    for (const finding of findings.grants) {
      const policy = policies[finding.policy]
      const standing = policy && grants.get(policy)?.get(finding.name)
      if (standing) noteGrant(subject, standing, finding, { issuer: issuer.name, space: findings.space })
    }
    for (const finding of findings.allows) {
      const rule = ruleAt(policies, finding.rule)
      const standing = rule && allows.get(rule)?.get(finding.name)
      if (standing) noteAllow(standing, finding, policies)
    }
  }
  if (!areComparable(set.policies)) giveUp(set.policies, TOO_MANY_PATTERNS)
  else {
    for (const { scope, isAffordable } of lightest(scopesOf(set))) {
      const outcome = isAffordable ? look(scope) : null
      if (outcome === null) giveUp(scope.policies, "the folder has too many rules that overlap")
      else if (!outcome.ok) giveUp(scope.policies, outcome.fault.reason)
      else note(scope, outcome.value)
    }
  }
  return {
    grants: [...grants.values()].flatMap((byName) => [...byName.values()]),
    allows: [...allows.values()].flatMap((byName) => [...byName.values()]),
    tooComplex,
  }
}

const unknownGrant = (policy: Policy, grant: Grant): GrantStanding => ({
  policy,
  grant,
  tooComplex: null,
  isNamed: false,
  isMatched: false,
  isAdmitted: false,
  isReached: false,
  isUnproven: false,
  isBelow: false,
  isFree: false,
  refusedJobs: [],
})

const unknownAllow = (policy: Policy, rule: Rule, grant: string): AllowStanding => ({
  policy,
  rule,
  grant,
  isMatching: false,
  isDenied: true,
  denies: new Set(),
})

function noteGrant(
  subject: Subject,
  standing: GrantStanding,
  { refusals, ...found }: GrantFinding,
  { issuer, space }: { readonly issuer: string; readonly space: Space },
): void {
  standing.isNamed ||= found.isNamed
  standing.isMatched ||= found.isMatched
  standing.isAdmitted ||= found.isAdmitted
  standing.isReached ||= found.isReached
  standing.isUnproven ||= found.isUnproven
  standing.isBelow ||= found.isBelow
  standing.isFree ||= found.isFree
  for (const { why, boundaries, region } of refusals) {
    if (standing.refusedJobs.some((one) => one.why === why)) continue
    const claims = confirmedJob(subject.set, issuer, standing.grant.name, { space, boxes: region.boxes })
    if (claims === null) standing.isUnproven = true
    else standing.refusedJobs.push({ why, boundaries, claims })
  }
}

function noteAllow(standing: AllowStanding, { isDenied, denies }: AllowFinding, policies: readonly Policy[]): void {
  standing.isMatching = true
  if (!standing.isDenied) return
  standing.isDenied = isDenied
  for (const place of denies) {
    const rule = ruleAt(policies, place)
    if (rule !== undefined) standing.denies.add(rule)
  }
}

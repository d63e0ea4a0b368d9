import type { Grant, Policy, Rule } from "../../broker/core/policy/model.ts"
import { grantNamesOf, type Reach, reachesBy } from "../reach/reach.ts"
import { intersect, isEmpty, isWithin, type Region } from "../regions/region.ts"
import { axisMemo } from "../regions/space.ts"
import { attempt, type Must } from "../regions/too-complex.ts"
import { areComparable, TOO_MANY_PATTERNS } from "../scopes/pattern-pairs.ts"
import { type Scope, scopesOf } from "../scopes/scope.ts"
import { spaceFor } from "../scopes/scope-space.ts"
import { type RuleRegion, rulesFor, type Survey, surveyOf } from "../scopes/survey.ts"
import { confirmedJob, type RefusedJob } from "./refused-job.ts"
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
  const look = (scope: Scope) =>
    attempt((must) => {
      const part = { scope, organisation: set.organisation }
      const whole = must(surveyOf(part, must(spaceFor([part], memo))))
      const survey = { ...whole, rules: whole.rules.filter(({ rule }) => !dead.has(rule)) }
      // A scope is analysed as a whole or not at all: a partial answer would look like a complete one.
      const reaches = grantNamesOf(scope).map((name) => ({ name, found: must(reachesBy(survey, name)) }))
      for (const { name, found } of reaches) {
        for (const reach of found)
          noteReach(subject, grants.get(reach.policy)?.get(name), reach, { survey, whole }, must)
        for (const allow of rulesFor(survey, "allow", name)) {
          noteAllow(allows.get(allow.rule)?.get(name), allow, name, survey)
        }
      }
    })
  if (!areComparable(set.policies)) giveUp(set.policies, TOO_MANY_PATTERNS)
  else {
    for (const { scope, isAffordable } of lightest(scopesOf(set))) {
      const outcome = isAffordable ? look(scope) : null
      if (outcome === null) giveUp(scope.policies, "the folder has too many rules that overlap")
      else if (!outcome.ok) giveUp(scope.policies, outcome.fault.reason)
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

function noteReach(
  subject: Subject,
  standing: GrantStanding | undefined,
  reach: Reach,
  { survey, whole }: { readonly survey: Survey; readonly whole: Survey },
  must: Must,
): void {
  if (standing === undefined) return
  const { scope, grant, admitted, inside, unproven, refusals } = reach
  const naming = rulesFor(survey, "allow", grant.name)
  standing.isNamed ||= rulesFor(whole, "allow", grant.name).length > 0
  standing.isMatched ||= naming.some(({ region }) => !isEmpty(region))
  standing.isAdmitted ||= !isEmpty(admitted)
  standing.isReached ||= !isEmpty(inside) || !isEmpty(unproven)
  standing.isUnproven ||= !isEmpty(unproven)
  standing.isBelow ||= !must(isWithin(admitted, survey.free))
  standing.isFree ||= !isEmpty(must(intersect(admitted, survey.free)))
  for (const { why, boundaries, region } of refusals) {
    if (standing.refusedJobs.some((one) => one.why === why)) continue
    const claims = confirmedJob(subject.set, scope.issuer.name, grant.name, region)
    if (claims === null) standing.isUnproven = true
    else standing.refusedJobs.push({ why, boundaries, claims })
  }
}

function noteAllow(standing: AllowStanding | undefined, { region }: RuleRegion, grant: string, survey: Survey): void {
  if (standing === undefined || isEmpty(region)) return
  standing.isMatching = true
  const denies = standing.isDenied ? rulesFor(survey, "deny", grant) : []
  const whole = denies.find((deny) => holds(deny.region, region))
  if (whole !== undefined) {
    standing.denies.add(whole.rule)
    return
  }
  const meeting = denies.filter((deny) => {
    const common = intersect(deny.region, region)
    return !common.ok || !isEmpty(common.value)
  })
  const all = { space: survey.space, boxes: meeting.flatMap((deny) => deny.region.boxes) }
  if (meeting.length < 2 || !holds(all, region)) standing.isDenied = false
  for (const { rule } of meeting) standing.denies.add(rule)
}

const holds = (outer: Region, inner: Region): boolean => {
  const within = isWithin(inner, outer)
  return within.ok && within.value
}

import { isMarked } from "../families/cautions.ts"
import type { ClaimFact } from "../families/claim-fact.ts"
import { claimFact } from "../families/families.ts"
import { matchesSome, type ProbedUnit, probesOf } from "../families/probes.ts"
import { type Condition, matchCondition } from "./condition.ts"
import { matchPattern, type Pattern } from "./pattern.ts"

/** The jobs that a policy without an environment speaks of. */
export interface PolicyJobs extends ProbedUnit {
  /** The issuer's family. */
  readonly family: string
  /** The policy speaks of all units of its issuer: what tells units apart then constrains as well. */
  readonly ofAllUnits?: boolean
}

/**
 * Why an `allow` of a policy without an environment constrains nothing: for each of its conditions, why it is no
 * constraint. Null when one of them is.
 *
 * Decided by meaning, not by spelling. A condition constrains when it can tell two jobs of one unit apart, on the same
 * issuer, neither of which an outsider caused. In a policy of all units, it may also tell two units apart. So what is about
 * the token, or alike in all jobs of a unit, never constrains; neither does what matches every value that the claim can have.
 * A condition that can match nothing does not count as one that lets everything in: `daypass check` reports it.
 */
export function whyUnconstrained(conditions: readonly Condition[], jobs: PolicyJobs): readonly string[] | null {
  const reasons: string[] = []
  for (const condition of conditions) {
    const reason = noConstraint(condition, jobs)
    if (reason === null) return null
    reasons.push(reason)
  }
  return reasons
}

function noConstraint(condition: Condition, jobs: PolicyJobs): string | null {
  const { claim } = condition
  const fact = claimFact(jobs.family, claim)
  if (fact?.tells === "token") return `${claim} says nothing about the job`
  if (!jobs.ofAllUnits && (fact?.tells === "unit" || fact?.tells === "setting")) {
    return isSatisfiable(condition, fact) ? `${claim} is the same in all of them` : null
  }
  return isTrueOfAll(condition, fact, jobs) ? `the condition on ${claim} is true of each of them` : null
}

/** Whether some unit has a value that fulfils a condition. What has no closed set can have any. */
function isSatisfiable(condition: Condition, { values }: ClaimFact): boolean {
  if (values === undefined || condition.test.kind === "present") return true
  return [...values.keys()].some((value) => matchCondition(condition, "allow", { [condition.claim]: value }))
}

/** Whether a condition holds for every job that no outsider caused, in one way in which an issuer or a unit can be set up. */
function isTrueOfAll(condition: Condition, fact: ClaimFact | undefined, jobs: PolicyJobs): boolean {
  const { claim, test } = condition
  const holds = (value: string | null) => matchCondition(condition, "allow", value === null ? {} : { [claim]: value })
  if (fact === undefined || fact.sent === "with-environment") return holds(null)
  if (fact.sent !== "always" && holds(null)) return true
  if (fact.ofPullRequests) return holds("")
  if (fact.values) return [...fact.values].every(([value, about]) => isMarked(about) || holds(value))
  if (test.kind === "present") return test.present
  if (test.kind === "none") return !test.patterns.some((pattern) => matchesSome(fact.form, pattern))
  const patterns = mostGeneral(test.patterns)
  const spelt = new Set(patterns.map(({ source }) => source).join(""))
  return probesOf(fact.form, spelt, jobs).some((values) =>
    values.every((value) => patterns.some((pattern) => matchPattern(pattern, value))),
  )
}

/**
 * The patterns that spell least, which match most. A repository's own policies are read while jobs wait: 250 patterns of a
 * hostile file, each held against every probe, took two seconds.
 */
function mostGeneral(patterns: readonly Pattern[]): readonly Pattern[] {
  const spelt = ({ steps }: Pattern) => steps.filter((step) => typeof step === "number").length
  return patterns.toSorted((a, b) => spelt(a) - spelt(b)).slice(0, MAX_PATTERNS)
}

const MAX_PATTERNS = 64

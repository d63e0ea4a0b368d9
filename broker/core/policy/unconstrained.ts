import type { ClaimFact } from "../claims/claim-fact.ts"
import { claimFact } from "../claims/families.ts"
import { matchesOf, type ProbedRepository, probesOf } from "../claims/probes.ts"
import { type Condition, matchCondition, OUTSIDER_EVENTS } from "./condition.ts"

/** The jobs that a policy without an environment speaks of. */
export interface PolicyJobs extends ProbedRepository {
  /** The issuer's family. */
  readonly family: string
}

/**
 * Why an `allow` of a policy without an environment constrains nothing: for each of its conditions, why it is no
 * constraint. Null when one of them is.
 *
 * Decided by meaning, not by spelling. A condition constrains when it can tell two jobs of one repository apart, on the
 * same issuer, neither of which an outsider caused. So what is about the token, or alike in all jobs of a repository, never
 * constrains; neither does what matches every value that the claim can have. A condition that can match nothing does not
 * count as one that lets everything in: `daypass check` reports it.
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
  if (fact?.tells === "repository" || fact?.tells === "setting") {
    return isSatisfiable(condition, fact) ? `${claim} is the same in all of them` : null
  }
  const holdsForAll = settingsOf(condition, fact, jobs).some((values) =>
    values.every((value) => matchCondition(condition, "allow", value === null ? {} : { [claim]: value })),
  )
  return holdsForAll ? `the condition on ${claim} is true of each of them` : null
}

/** Whether some repository has a value that fulfils a condition. What has no closed set can have any. */
function isSatisfiable(condition: Condition, { values }: ClaimFact): boolean {
  if (values === undefined || condition.test.kind === "present") return true
  return [...values.keys()].some((value) => matchCondition(condition, "allow", { [condition.claim]: value }))
}

/**
 * What a claim can be in jobs that no outsider caused, once for each way in which an issuer or a repository can be set up.
 * Null stands for a claim that is missing.
 */
function settingsOf(
  { test }: Condition,
  fact: ClaimFact | undefined,
  jobs: PolicyJobs,
): readonly (readonly (string | null)[])[] {
  if (fact === undefined || fact.sent === "with-environment") return [[null]]
  if (fact.ofPullRequests) return [[""], [null]]
  const patterns = test.kind === "present" ? [] : test.patterns.map(({ source }) => source)
  if (fact.values) {
    const values = [...fact.values.keys()].filter((value) => !OUTSIDER_EVENTS.has(value))
    return fact.sent === "always" ? [values] : [values, [null]]
  }
  const probes = probesOf(fact.form, new Set(patterns.join("")), jobs)
  const excluded = test.kind === "none" ? patterns.flatMap((pattern) => matchesOf(fact.form, pattern)) : []
  const sent = probes.map((values) => [...values, ...excluded])
  return fact.sent === "always" ? sent : [...sent, [null]]
}

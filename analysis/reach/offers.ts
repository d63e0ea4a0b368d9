import type { BreakGlass } from "../../broker/core/policy/break-glass.ts"
import { type EnvironmentDemand, isForAny } from "../../broker/core/policy/environment-protection.ts"
import type { Result } from "../../broker/core/result.ts"
import { intersect, isEmpty, type Region, subtract, union } from "../regions/region.ts"
import { attempt, type Must, type TooComplex } from "../regions/too-complex.ts"
import { contentOf } from "../scopes/meaning.ts"
import type { Survey } from "../scopes/survey.ts"
import { type Reach, reachesBy } from "./reach.ts"

/** One credential that a grant gives, and the jobs that get it. Two sets are compared by their offers. */
export interface Offer {
  readonly reach: Reach
  /** Equal for the same credential, whatever its lifetime. */
  readonly content: string
  /** The jobs that certainly get it. */
  readonly sure: Region
  /** The jobs that get it or may get it. */
  readonly possible: Region
  /** The lifetimes and the jobs that get each. The regions are disjoint, and together they are `possible`. */
  readonly lifetimes: readonly Lifetime[]
  /** How the environment must be protected, one property each, and who must approve the run; and for which jobs. */
  readonly demands: readonly { readonly demand: Demand; readonly region: Region }[]
}

/** What a job needs beside its claims: a protection of its environment, or approvals of its run. */
export type Demand = EnvironmentDemand | BreakGlass

export const isBreakGlass = (demand: Demand): demand is BreakGlass => "approvals" in demand

/** Whether approvals that meet the one demand also meet the other. */
export const isAtLeast = (one: BreakGlass | undefined, other: BreakGlass | undefined): boolean =>
  other === undefined ||
  (one !== undefined && one.approvals >= other.approvals && (one.reasonRequired || !other.reasonRequired))

/** The part of an offer that a comparison needs. */
export type Comparable = Pick<Offer, "content" | "sure" | "possible" | "lifetimes" | "demands">

export interface Lifetime {
  readonly seconds: number
  readonly region: Region
}

/** The offers of a grant's name in a scope. */
export function offersOf(survey: Survey, name: string): Result<readonly Offer[], TooComplex> {
  return attempt((must) =>
    must(reachesBy(survey, name)).flatMap((reach): Offer[] => {
      const possible = must(union(survey.space, [reach.inside, reach.unproven]))
      if (isEmpty(possible)) return []
      return [
        {
          reach,
          content: contentOf(reach.grant),
          sure: reach.inside,
          possible,
          lifetimes: limitedTo(reach.grant.ttlSeconds, limitsOf(survey), possible, must),
          demands: [
            ...reach.demands.flatMap(({ demand, region }) => singly(demand).map((one) => ({ demand: one, region }))),
            ...(reach.grant.breakGlass ? [{ demand: reach.grant.breakGlass, region: possible }] : []),
          ],
        },
      ]
    }),
  )
}

/**
 * Whether a job that meets the one demand also meets the other. Each demand has at most one property; whatever is demanded of
 * an environment, one that meets it is protected in some way.
 */
export function implies(one: Demand, other: Demand): boolean {
  if (isBreakGlass(one) || isBreakGlass(other)) return isBreakGlass(one) && isBreakGlass(other) && isAtLeast(one, other)
  if (isForAny(other)) return true
  if (other.requiredReviewers) return one.requiredReviewers
  if (other.preventSelfReview) return one.preventSelfReview
  const wanted = other.deploymentBranches ?? []
  return one.deploymentBranches?.every((branches) => wanted.includes(branches)) ?? false
}

/** Splits a demand into demands of one property each. One for any protection stays as it is. */
export function singly(demand: EnvironmentDemand): readonly EnvironmentDemand[] {
  if (isForAny(demand)) return [demand]
  const { requiredReviewers, preventSelfReview, deploymentBranches } = demand
  const nothing = { requiredReviewers: false, preventSelfReview: false }
  return [
    ...(requiredReviewers ? [{ ...nothing, requiredReviewers }] : []),
    ...(preventSelfReview ? [{ ...nothing, preventSelfReview }] : []),
    ...(deploymentBranches ? [{ ...nothing, deploymentBranches }] : []),
  ]
}

/** The lifetime that applies to each job: the lowest of its limits, or `most` without a limit. */
export function limitedTo(most: number, limits: readonly Lifetime[], among: Region, must: Must): readonly Lifetime[] {
  const lifetimes: Lifetime[] = []
  let left = among
  for (const { seconds, region } of limits.toSorted((a, b) => a.seconds - b.seconds)) {
    if (seconds >= most) break
    const held = must(intersect(left, region))
    if (isEmpty(held)) continue
    lifetimes.push({ seconds, region: held })
    left = must(subtract(left, held))
  }
  return isEmpty(left) ? lifetimes : [...lifetimes, { seconds: most, region: left }]
}

const limitsOf = ({ ceiling }: Survey): readonly Lifetime[] =>
  ceiling.flatMap(({ boundary: { maxTtlSeconds: seconds }, restricts: region }) =>
    seconds === undefined ? [] : [{ seconds, region }],
  )

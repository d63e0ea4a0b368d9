import type { EnvironmentDemand } from "../../broker/core/policy/environment-protection.ts"
import type { Result } from "../../broker/core/result.ts"
import { intersect, isEmpty, type Region, subtract, union } from "../regions/region.ts"
import { attempt, type Must, type TooComplex } from "../regions/too-complex.ts"
import { contentOf } from "../scopes/meaning.ts"
import type { Survey } from "../scopes/survey.ts"
import { type Reach, reachesBy } from "./reach.ts"

/** One credential that a grant of some name gives, and to whom: what two sets are compared by. */
export interface Offer {
  readonly reach: Reach
  /** Equal for the same credential, its lifetime aside. */
  readonly content: string
  /** Who gets it for sure, and who as far as anybody can tell. */
  readonly sure: Region
  readonly possible: Region
  /** How long it lives, for whom: disjoint, and everybody of `possible` is in one. */
  readonly lifetimes: readonly Lifetime[]
  /** What the environment must be like, one property each, and for whom. */
  readonly demands: readonly { readonly demand: EnvironmentDemand; readonly region: Region }[]
}

/** What can be compared: whom something is given to, for how long, and what is demanded of whom. */
export type Comparable = Pick<Offer, "content" | "sure" | "possible" | "lifetimes" | "demands">

export interface Lifetime {
  readonly seconds: number
  readonly region: Region
}

/** What is offered under a name in a scope. */
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
          demands: reach.demands.flatMap(({ demand, region }) =>
            singly(demand).map((one) => ({ demand: one, region })),
          ),
        },
      ]
    }),
  )
}

/** Whether whoever meets the one demand meets the other. Both demand one property. */
export function implies(one: EnvironmentDemand, other: EnvironmentDemand): boolean {
  if (other.requiredReviewers) return one.requiredReviewers
  if (other.preventSelfReview) return one.preventSelfReview
  const wanted = other.deploymentBranches ?? []
  return one.deploymentBranches?.every((branches) => wanted.includes(branches)) ?? false
}

/** A demand as several, each of one property. */
export function singly({
  requiredReviewers,
  preventSelfReview,
  deploymentBranches,
}: EnvironmentDemand): readonly EnvironmentDemand[] {
  const nothing = { requiredReviewers: false, preventSelfReview: false }
  return [
    ...(requiredReviewers ? [{ ...nothing, requiredReviewers }] : []),
    ...(preventSelfReview ? [{ ...nothing, preventSelfReview }] : []),
    ...(deploymentBranches ? [{ ...nothing, deploymentBranches }] : []),
  ]
}

/** Who is held to which of some limits: the lowest counts, and `most` where there is none. */
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

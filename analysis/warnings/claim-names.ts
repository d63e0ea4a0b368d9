import { claimNames, isKnownClaim } from "../../broker/core/families/families.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import { didYouMean } from "../../broker/core/policy/faults.ts"
import { type Clause, clausesOf } from "./clauses.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds conditions on claims that no known token has. A missing claim never helps a job. */
export function* unknownClaims({ set, sources }: Subject): Generator<Warning> {
  for (const clause of clausesOf(set)) {
    const { conditions, file, path } = clause
    for (const condition of conditions) {
      const { claim } = condition
      if (isKnownClaim(claim)) continue
      const hint = didYouMean(claim, claimNames("github-actions"))
      const message = `No known issuer sends a claim ${JSON.stringify(claim)}. ${effectOf(clause, condition)}.${hint}`
      yield warn(file, sources.keyAt(file, [...path, claim]), "condition_unknown_claim", message)
    }
  }
}

/** What a condition does when every token lacks its claim, by the engine's own word. */
function effectOf({ part, whose }: Clause, condition: Condition): string {
  const [inAllow, inDeny] = (["allow", "deny"] as const).map((style) => matchCondition(condition, style, {}))
  const absent = `so ${whose} works as if this condition were absent`
  switch (part) {
    case "allow":
      return inAllow
        ? `Every token lacks it, ${absent}`
        : `An allow never matches a missing claim, so ${whose} matches no job`
    case "deny":
      return inDeny ? `A deny treats a missing claim as a match, ${absent}` : `So ${whose} refuses no job`
    case "require":
      return inAllow
        ? `Every token lacks it, ${absent}`
        : `A job that lacks the claim fails the requirement, so ${whose} refuses every job that it covers`
    // The loader takes only claims in a limit that every token has.
    case "limit":
    case "when":
      if (inAllow) return `Every token lacks it, ${absent}`
      return inDeny
        ? `A boundary restricts jobs that lack the claim and allows them nothing, so ${whose} restricts as if this condition were absent, and allows nothing`
        : `So ${whose} neither restricts nor allows anything`
  }
}

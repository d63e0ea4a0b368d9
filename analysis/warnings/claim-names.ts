import { claimFact, claimNames, isForeignUnitClaim, isKnownClaim } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import { didYouMean } from "../../broker/core/policy/faults.ts"
import type { Policy } from "../../broker/core/policy/model.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import { type Clause, clausesOf } from "./clauses.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds conditions on claims that no token of the listed issuers has. A missing claim never helps a job. */
export function* unknownClaims({ set, sources }: Subject): Generator<Warning> {
  for (const clause of clausesOf(set)) {
    const { conditions, file, path } = clause
    for (const condition of conditions) {
      const { claim } = condition
      const families = listed(set, clause.policy)
      if (families.some(({ name }) => claimFact(name, claim) !== undefined)) continue
      const hint = didYouMean(claim, new Set(families.flatMap(({ name }) => claimNames(name))))
      const effect = effectOf(clause, condition, families)
      const message = `${whoLacks(claim, families)} ${JSON.stringify(claim)}. ${effect}.${hint}`
      yield warn(file, sources.keyAt(file, [...path, claim]), "condition_unknown_claim", message)
    }
  }
}

/** The families of the issuers that a clause can be about: the policy's, or all that are listed. */
function listed({ organisation }: Subject["set"], policy: Policy | undefined): readonly FamilyFacts[] {
  const issuers = [...organisation.issuers.values()]
  return [...new Set(issuers.filter(({ name }) => (policy?.issuer ?? name) === name).map(familyOf))]
}

/** The start of a sentence. A claim of another family is most likely right in a policy of another issuer. */
function whoLacks(claim: string, families: readonly FamilyFacts[]): string {
  if (!isKnownClaim(claim)) return "No known issuer sends a claim"
  const titles = families.map(({ title }) => title)
  return titles.length === 1
    ? `${titles[0]} sends no claim`
    : `None of the listed issuers (${titles.join(", ")}) sends a claim`
}

/** What a condition does when every token lacks its claim, by the engine's own word. */
function effectOf({ part, whose }: Clause, condition: Condition, families: readonly FamilyFacts[]): string {
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
      // It identifies units of other issuers only.
      if (families.every(({ name }) => isForeignUnitClaim(name, condition.claim))) {
        return `So ${whose} is about no job of this organisation`
      }
      if (inAllow) return `Every token lacks it, ${absent}`
      return inDeny
        ? `A boundary restricts jobs that lack the claim and allows them nothing, so ${whose} restricts as if this condition were absent, and allows nothing`
        : `So ${whose} neither restricts nor allows anything`
  }
}

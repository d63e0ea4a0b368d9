import { claimNames, isKnownClaim } from "../../broker/core/claims/families.ts"
import { didYouMean } from "../../broker/core/policy/faults.ts"
import { clausesOf } from "./clauses.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds conditions on claims that no known token has. A missing claim never helps a job. */
export function* unknownClaims({ set, sources }: Subject): Generator<Warning> {
  for (const { conditions, file, path, part, whose } of clausesOf(set)) {
    for (const { claim } of conditions) {
      if (isKnownClaim(claim)) continue
      const hint = didYouMean(claim, claimNames("github-actions"))
      const message = `No known issuer sends a claim ${JSON.stringify(claim)}. ${EFFECT[part](whose)}.${hint}`
      yield warn(file, sources.keyAt(file, [...path, claim]), "condition_unknown_claim", message)
    }
  }
}

const EFFECT: Readonly<Record<"allow" | "deny" | "when" | "require", (whose: string) => string>> = {
  allow: (whose) => `An allow never matches a missing claim, so ${whose} matches no job`,
  deny: (whose) => `A deny treats a missing claim as a match, so ${whose} works as if this condition were absent`,
  when: (whose) =>
    `A boundary restricts jobs that lack the claim and allows them nothing, so ${whose} restricts as if this condition were absent, and allows nothing`,
  require: (whose) => `A job that lacks the claim fails the requirement, so ${whose} refuses every job that it covers`,
}

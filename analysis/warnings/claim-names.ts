import { claimNames, isKnownClaim } from "../../broker/core/claims/families.ts"
import { didYouMean } from "../../broker/core/policy/faults.ts"
import { clausesOf } from "./clauses.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/** Finds conditions on claims that no token is known to have: missing, they never help whoever asks. */
export function* unknownClaims({ set, sources }: Subject): Generator<Warning> {
  for (const { conditions, file, path, part, whose } of clausesOf(set)) {
    for (const { claim } of conditions) {
      if (isKnownClaim(claim)) continue
      const hint = didYouMean(claim, claimNames("github-actions"))
      const message = `No token is known to have a claim ${JSON.stringify(claim)}. ${EFFECT[part](whose)}.${hint}`
      yield warn(file, sources.keyAt(file, [...path, claim]), "condition_unknown_claim", message)
    }
  }
}

const EFFECT: Readonly<Record<"allow" | "deny" | "when" | "require", (whose: string) => string>> = {
  allow: (whose) => `Missing, it fulfils nothing: ${whose} matches nobody`,
  deny: (whose) => `Missing, it fulfils everything: ${whose} is as wide as if the condition were not there`,
  when: (whose) =>
    `Missing, it lifts no ceiling: ${whose} restricts as if the condition were not there, and allows nothing`,
  require: (whose) => `Missing, it fulfils nothing: ${whose} refuses everybody whom it is about`,
}

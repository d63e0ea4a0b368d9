import type { Pattern } from "../../broker/core/policy/pattern.ts"
import { crowdOf } from "../scopes/crowd.ts"
import type { Scope } from "../scopes/scope.ts"
import { patternsOf } from "./clauses.ts"

// Weights stand for microseconds, as measured: exact ones are not needed, only that the same folder weighs the same anywhere.

/** What all scopes of a folder may weigh together: room for 20,000 as people write them, and seconds at most. */
const MAX_WEIGHT = 15_000_000
/** What every scope weighs. */
const SCOPE = 600
/** A grant held against a rule, and a rule cut by another. */
const GRANT_BY_RULE = 20
const RULE_BY_RULE = 2
/** Values that some patterns tell apart, for each pattern twice as many; past so many the analysis gives up. */
const VALUES = 1_000
const MAX_VALUES = 600_000

/** Scopes, the lightest first, and whether each can still be afforded: what is light is looked at, whatever else there is. */
export function lightest(
  scopes: readonly Scope[],
): readonly { readonly scope: Scope; readonly isAffordable: boolean }[] {
  const paid = new Set<string>()
  const weighed = scopes.map((scope) => ({ scope, weight: weightOf(scope, paid) })).sort((a, b) => a.weight - b.weight)
  let total = 0
  return weighed.map(({ scope, weight }) => {
    total += weight
    return { scope, isAffordable: total <= MAX_WEIGHT }
  })
}

function weightOf({ policies }: Scope, paid: Set<string>): number {
  let [rules, grants] = [0, 0]
  const patterns = new Map<string, Map<string, Pattern>>()
  const note = (claim: string, pattern: Pattern) => {
    const known = patterns.get(claim) ?? new Map<string, Pattern>()
    patterns.set(claim, known.set(pattern.source, pattern))
  }
  for (const policy of policies) {
    grants += policy.grants.size
    if (policy.target.kind === "owner") note("repository", policy.target.names)
    for (const { conditions } of [...policy.allow, ...policy.deny]) {
      rules++
      for (const condition of conditions) for (const one of patternsOf(condition)) note(condition.claim, one)
    }
  }
  let weight = SCOPE + GRANT_BY_RULE * grants * rules + RULE_BY_RULE * rules ** 2
  for (const [claim, known] of patterns) {
    const floating = [...known.values()].filter(isFloating)
    if (floating.length < 2) continue
    const crowd = crowdOf(floating)
    const values = Math.min(MAX_VALUES, VALUES * 2 ** Math.max(...floating.map(crowd)))
    // What was told apart once is remembered, unless it was given up.
    const key = JSON.stringify([claim, [...known.keys()].sort()])
    if (values < MAX_VALUES && paid.has(key)) continue
    paid.add(key)
    weight += values
  }
  return weight
}

/** A pattern with text behind a wildcard: two of these can both match, neither, or either one. */
function isFloating({ steps }: Pattern): boolean {
  const first = steps.findIndex((step) => typeof step !== "number")
  return first >= 0 && steps.slice(first).some((step) => typeof step === "number")
}

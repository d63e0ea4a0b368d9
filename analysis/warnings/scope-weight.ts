import type { Pattern } from "../../broker/core/policy/pattern.ts"
import { prefixCounter } from "../scopes/pattern-pairs.ts"
import type { Scope } from "../scopes/scope.ts"
import { patternsOf } from "./clauses.ts"

// Weights are microseconds, as measured. They need not be exact, but a folder must have the same weight on every machine.

/** The most that all scopes of a folder may weigh together: enough for 20,000 usual scopes; takes seconds at most. */
const MAX_WEIGHT = 15_000_000
/** The base weight of a scope. */
const SCOPE = 600
/** The weight of comparing one grant with one rule, and of cutting one rule by another. */
const GRANT_BY_RULE = 20
const RULE_BY_RULE = 2
/** Values that patterns distinguish: each pattern can double them. Above the maximum the analysis gives up. */
const VALUES = 1_000
const MAX_VALUES = 600_000

/** Scopes, the lightest first, each with whether the budget still covers it. So heavy scopes never keep out light ones. */
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
    if (policy.target.kind === "owner") note("(the name)", policy.target.names)
    for (const { conditions } of [...policy.allow, ...policy.deny]) {
      rules++
      for (const condition of conditions) for (const one of patternsOf(condition)) note(condition.claim, one)
    }
  }
  let weight = SCOPE + GRANT_BY_RULE * grants * rules + RULE_BY_RULE * rules ** 2
  for (const [claim, known] of patterns) {
    const floating = [...known.values()].filter(isFloating)
    if (floating.length < 2) continue
    const count = prefixCounter(floating)
    const values = Math.min(MAX_VALUES, VALUES * 2 ** Math.max(...floating.map(count)))
    // Values are computed once and remembered, unless the computation was given up.
    const key = JSON.stringify([claim, [...known.keys()].sort()])
    if (values < MAX_VALUES && paid.has(key)) continue
    paid.add(key)
    weight += values
  }
  return weight
}

/** A pattern with text after a wildcard: of two such patterns, a value can match both, neither, or either one. */
function isFloating({ steps }: Pattern): boolean {
  const first = steps.findIndex((step) => typeof step !== "number")
  return first >= 0 && steps.slice(first).some((step) => typeof step === "number")
}

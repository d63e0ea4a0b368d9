import type { Policy } from "../../broker/core/policy/model.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"

/** The most pairs of repository patterns to compare: some milliseconds for a thousand. */
const MAX_PAIRS = 25_000

/** The reason given when a set has too many patterns to compare. */
export const TOO_MANY_PATTERNS = "too many policies have patterns that can match one repository"

/** Whether there are few enough patterns to find the policies with common repositories. Patterns are compared in pairs. */
export function areComparable(policies: readonly Policy[]): boolean {
  const names = policies.flatMap(({ target }) => (target.kind === "owner" ? [target.names] : []))
  let pairs = 0
  const count = prefixCounter(names)
  for (const pattern of names) pairs += count(pattern)
  return pairs <= MAX_PAIRS
}

/** Counts the patterns whose fixed prefix is a prefix of another pattern's: only these can match a common text. */
export function prefixCounter(patterns: readonly Pattern[]): (of: Pattern) => number {
  const byPrefix = new Map<string, number>()
  for (const { prefix } of patterns) byPrefix.set(prefix, (byPrefix.get(prefix) ?? 0) + 1)
  return ({ prefix }) => {
    let count = 0
    for (let length = 0; length <= prefix.length; length++) count += byPrefix.get(prefix.slice(0, length)) ?? 0
    return count
  }
}

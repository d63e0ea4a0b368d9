import type { Policy } from "../../broker/core/policy/model.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"

/** Patterns of repositories that are compared with each other, at most: some milliseconds for a thousand. */
const MAX_PAIRS = 25_000

/** Why scopes are not even looked for. */
export const TOO_MANY_PATTERNS = "too many policies have patterns that can match one repository"

/** Whether it can be afforded to find out which policies speak of the same repositories: patterns are compared in pairs. */
export function isFoldable(policies: readonly Policy[]): boolean {
  const names = policies.flatMap(({ target }) => (target.kind === "owner" ? [target.names] : []))
  let pairs = 0
  const crowd = crowdOf(names)
  for (const pattern of names) pairs += crowd(pattern)
  return pairs <= MAX_PAIRS
}

/** How many of some patterns begin as a text can that another matches: those whose own beginning is a part of its. */
export function crowdOf(patterns: readonly Pattern[]): (of: Pattern) => number {
  const byPrefix = new Map<string, number>()
  for (const { prefix } of patterns) byPrefix.set(prefix, (byPrefix.get(prefix) ?? 0) + 1)
  return ({ prefix }) => {
    let count = 0
    for (let length = 0; length <= prefix.length; length++) count += byPrefix.get(prefix.slice(0, length)) ?? 0
    return count
  }
}

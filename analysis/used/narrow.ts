import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import type { Condition } from "../../broker/core/policy/condition.ts"
import { MAX_PATTERN_CHARACTERS, matchPattern, type Pattern } from "../../broker/core/policy/pattern.ts"
import type { RuleUse } from "./usage.ts"

/** The most values that take the place of a wildcard: more are a family of names, and the next one would be refused. */
const MAX_VALUES = 3
/** What was seen once may be an exception. */
const MIN_EXCHANGES = 2

/** One condition of a rule as it could be. */
export interface Narrowing {
  readonly claim: string
  /** For each pattern of the condition, in its order, what takes its place; none: it was never needed. Null: the condition is new. */
  readonly patterns: readonly (readonly string[])[] | null
  readonly was: readonly string[]
  readonly is: readonly string[]
}

/**
 * The tightest conditions that all seen runs still meet, as far as a person would write them:
 *
 * - a pattern that matched no run goes
 * - a wildcard becomes the values that it stood for, if they are at most 3, each was seen twice, and none has a digit where the
 *   wildcard is: versions, dates and hashes will be others tomorrow
 * - `**` at the end becomes longer, up to the last `/` that all values share
 * - a rule without a condition on the event gets one, and one on the ref if all runs had the same
 *
 * `not` and `present` stay. A pattern is only ever replaced by what it matches.
 */
export function narrowed(conditions: readonly Condition[], use: RuleUse, { roles }: FamilyFacts): readonly Narrowing[] {
  const found = conditions.flatMap((condition) => narrowedOne(condition, use) ?? [])
  return [...found, ...addedTo(conditions, use, roles.event, MAX_VALUES), ...addedTo(conditions, use, roles.ref, 1)]
}

function narrowedOne({ claim, test }: Condition, use: RuleUse): Narrowing | null {
  const values = use.seen.get(claim)
  // What the record does not say of some run, that run may have needed.
  if (test.kind !== "any" || values === undefined || use.missing.has(claim)) return null
  const patterns = test.patterns.map((pattern) => replaced(pattern, values))
  const was = test.patterns.map(({ source }) => source)
  const is = [...new Set(patterns.flat())]
  if (is.length === 0 || JSON.stringify(was) === JSON.stringify(patterns.flat())) return null
  return { claim, patterns, was, is }
}

/** What takes a pattern's place; the pattern itself when nothing better is known. */
function replaced(pattern: Pattern, values: ReadonlyMap<string, number>): readonly string[] {
  const matched = [...values].filter(([value]) => matchPattern(pattern, value))
  if (matched.length === 0) return []
  if (pattern.literal !== null) return [pattern.source]
  const texts = matched.map(([value]) => value).sort()
  const isFew = matched.length <= MAX_VALUES && matched.every(([, count]) => count >= MIN_EXCHANGES)
  if (isFew && texts.every((text) => isName(text.slice(pattern.prefix.length)) && isWritable(text))) return texts
  return [longer(pattern, texts) ?? pattern.source]
}

/** `refs/heads/**` as `refs/heads/release/**`, if all values begin so. */
function longer({ source, prefix }: Pattern, texts: readonly string[]): string | null {
  const [first = "", last = ""] = [texts[0], texts.at(-1)]
  if (texts.length < 2 || source.slice(0, -2).includes("*") || source.includes("\\") || !source.endsWith("**"))
    return null
  let same = 0
  while (same < first.length && first[same] === last[same]) same += 1
  const shared = first.slice(0, first.lastIndexOf("/", same - 1) + 1)
  const isLonger = shared.length > prefix.length && isName(shared.slice(prefix.length)) && isWritable(shared)
  return isLonger && shared.length + 2 <= MAX_PATTERN_CHARACTERS ? `${shared}**` : null
}

function addedTo(
  conditions: readonly Condition[],
  use: RuleUse,
  claim: string | undefined,
  most: number,
): readonly Narrowing[] {
  const values = claim === undefined ? undefined : use.seen.get(claim)
  if (claim === undefined || values === undefined || use.missing.has(claim)) return []
  if (conditions.some((condition) => condition.claim === claim) || values.size === 0 || values.size > most) return []
  const is = [...values.keys()].sort()
  const isSure = [...values].every(([value, count]) => count >= MIN_EXCHANGES && isName(value) && isWritable(value))
  return isSure ? [{ claim, patterns: null, was: [], is }] : []
}

/** A name that people chose to keep: not a version, a date, a number or a hash. */
const isName = (text: string): boolean => !/[0-9]/.test(text)

/** Whether the text is a pattern that matches itself alone. */
const isWritable = (text: string): boolean =>
  text !== "" && text.length <= MAX_PATTERN_CHARACTERS && /^[^*\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+$/u.test(text)

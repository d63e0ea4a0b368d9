import { EVENT_CLAIM } from "../../broker/core/claims/families.ts"
import { OUTSIDER_EVENTS } from "../../broker/core/policy/condition.ts"
import { matchPattern, type Pattern } from "../../broker/core/policy/pattern.ts"
import type { Result } from "../../broker/core/result.ts"
import { type Box, isWithin, type Region } from "./region.ts"
import type { Axis } from "./space.ts"
import type { TooComplex } from "./too-complex.ts"

/** What one claim must be, in words: `is refs/heads/main or refs/tags/v*`, `is not push`, `is missing`. */
export interface Phrase {
  readonly claim: string
  readonly says: string
}

/** Identities in words: whoever meets all phrases of any case. A case without phrases is everybody. */
export type Cases = readonly (readonly Phrase[])[]

/** The patterns that rules speak of claims by: a region is told in these words. */
export type Vocabulary = ReadonlyMap<string, readonly Pattern[]>

/** A region in more pieces is told by an example alone: nobody reads hundreds of cases. */
const MAX_BOXES = 200

/** At most so many alternatives in a phrase, before an example says more than the list. */
const MAX_ALTERNATIVES = 6

/**
 * Says who is in a region, among those who are in `base`, in the words of the rules that made it.
 *
 * What every box of `base` says is not said again, and neither is that an allow leaves outsiders' events out that it does
 * not name: every allow does.
 */
export function casesOf(region: Region, base: Region, vocabulary: Vocabulary): Result<Cases, TooComplex> {
  const { axes } = region.space
  const around = axes.map((_, axis) => base.boxes.reduce((bits, box) => bits | (box[axis] ?? 0n), 0n))
  if (region.boxes.length > MAX_BOXES) return { ok: true, value: [] }
  const widened: Box[] = []
  for (const box of region.boxes) {
    // A case that was told covers more than the piece that it was found by.
    if (widened.some((other) => box.every((bits, axis) => ((other[axis] ?? 0n) | bits) === other[axis]))) continue
    const wide = widenedIn(region, box, around)
    if (!wide.ok) return wide
    widened.push(wide.value)
  }
  return {
    ok: true,
    value: widened.map((box) =>
      axes.flatMap((axis, index): Phrase[] => {
        const says = phraseOf(axis, box[index] ?? 0n, around[index] ?? 0n, vocabulary.get(axis.claim) ?? [])
        return says === null ? [] : [{ claim: axis.claim, says }]
      }),
    ),
  }
}

/** One case in a line: `ref is refs/heads/main and event_name is push`. */
export function sentenceOf(phrases: readonly Phrase[]): string {
  return phrases.map(({ claim, says }) => `${claim} ${says}`).join(" and ")
}

/** The same box without the limits that the rest of the region takes off again: cuts leave more pieces than there are cases. */
function widenedIn(region: Region, box: Box, around: readonly bigint[]): Result<Box, TooComplex> {
  if (region.boxes.length === 1) return { ok: true, value: box }
  let wide = box
  for (const [axis, bits] of around.entries()) {
    if (((wide[axis] ?? 0n) | bits) === wide[axis]) continue
    const wider = wide.with(axis, (wide[axis] ?? 0n) | bits)
    const fits = isWithin({ space: region.space, boxes: [wider] }, region)
    if (!fits.ok) return fits
    if (fits.value) wide = wider
  }
  return { ok: true, value: wide }
}

/** Null when every value that there can be is admitted. */
function phraseOf(
  { claim, values }: Axis,
  admitted: bigint,
  around: bigint,
  patterns: readonly Pattern[],
): string | null {
  const possible = values.filter((_, at) => (around >> BigInt(at)) & 1n)
  const isIn = new Set(values.filter((_, at) => (admitted >> BigInt(at)) & (around >> BigInt(at)) & 1n))
  if (isIn.size === possible.length) return null
  const texts = possible.filter((value) => value !== null)
  const inside = texts.filter((text) => isIn.has(text))
  if (inside.length === 0) return "is missing"
  const plain = phraseOfTexts(texts, inside, patterns)
  if (claim === EVENT_CLAIM && !inside.some((event) => OUTSIDER_EVENTS.has(event))) {
    const withOutsiders = texts.filter((event) => isIn.has(event) || OUTSIDER_EVENTS.has(event))
    if (withOutsiders.length === texts.length) return null
    // Whichever says it shorter: that the others are left out goes without saying.
    const short = phraseOfTexts(texts, withOutsiders, patterns)
    if (plain === null || (short !== null && short.length < plain.length)) return short ?? suchAs(inside)
  }
  const said = plain ?? suchAs(inside)
  if (isIn.has(null))
    return said.startsWith("is not ") || said === "is there" ? `${said}, or is missing` : `${said} or is missing`
  return said
}

function phraseOfTexts(
  texts: readonly string[],
  inside: readonly string[],
  patterns: readonly Pattern[],
): string | null {
  if (inside.length === texts.length) return "is there"
  const known = [...new Map(patterns.map((pattern) => [pattern.source, pattern])).values()].map((pattern) => ({
    source: pattern.source,
    covers: new Set(texts.filter((text) => matchPattern(pattern, text))),
  }))
  const wanted = new Set(inside)
  const yes = coverOf(wanted, known)
  if (yes !== null) return `is ${yes.join(" or ")}`
  const no = coverOf(new Set(texts.filter((text) => !wanted.has(text))), known)
  if (no !== null) return `is not ${no.join(" or ")}`
  for (const { source, covers } of known.toSorted((a, b) => a.covers.size - b.covers.size)) {
    if (!wanted.isSubsetOf(covers)) continue
    const but = coverOf(covers.difference(wanted), known)
    if (but !== null) return `is ${source}, but not ${but.join(" or ")}`
  }
  return null
}

/** The fewest of the known patterns, found greedily, that together have just these texts. */
function coverOf(
  wanted: ReadonlySet<string>,
  known: readonly { readonly source: string; readonly covers: ReadonlySet<string> }[],
): readonly string[] | null {
  const usable = known.filter(({ covers }) => covers.size > 0 && covers.isSubsetOf(wanted))
  const chosen: string[] = []
  let left = wanted
  while (left.size > 0) {
    const [best] = usable.toSorted((a, b) => b.covers.intersection(left).size - a.covers.intersection(left).size)
    if (best === undefined || best.covers.intersection(left).size === 0) return null
    chosen.push(best.source)
    left = left.difference(best.covers)
    if (chosen.length > MAX_ALTERNATIVES) return null
  }
  return chosen
}

const suchAs = (texts: readonly string[]): string => `is such as ${texts.slice(0, 2).join(" or ")}`

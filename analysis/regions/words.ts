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

/** Identities in words: those that meet all phrases of at least one case. A case without phrases means all identities. */
export type Cases = readonly (readonly Phrase[])[]

/** By claim: the patterns that rules use. A region is described with them. */
export type Vocabulary = ReadonlyMap<string, readonly Pattern[]>

/** A region with more boxes is described by an example only: hundreds of cases are not readable. */
const MAX_BOXES = 200

/** The most alternatives in a phrase. Above this, an example says more than the list. */
const MAX_ALTERNATIVES = 6

/**
 * Describes which identities of `base` are in a region, with the patterns of the rules that made it.
 *
 * Leaves out what is true of all of `base`. Also leaves out that an allow does not match outsiders' events that it does not
 * name: this holds for every allow.
 */
export function casesOf(region: Region, base: Region, vocabulary: Vocabulary): Result<Cases, TooComplex> {
  const { axes } = region.space
  const around = axes.map((_, axis) => base.boxes.reduce((bits, box) => bits | (box[axis] ?? 0n), 0n))
  if (region.boxes.length > MAX_BOXES) return { ok: true, value: [] }
  const widened: Box[] = []
  for (const box of region.boxes) {
    // An earlier, widened case may already cover this box.
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

/** Widens a box as far as the region allows, because cuts leave more boxes than there are cases. */
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

/** Null when every possible value is admitted. */
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
    // The shorter description: that outsiders' events are excluded is always implied.
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

/** A small set of the known patterns, found greedily, that together match exactly these texts. */
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

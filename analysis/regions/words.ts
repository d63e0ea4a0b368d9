import { isCautionClaim } from "../../broker/core/families/cautions.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { matchCondition } from "../../broker/core/policy/condition.ts"
import type { Pattern } from "../../broker/core/policy/pattern.ts"
import type { Result } from "../../broker/core/result.ts"
import { type CautionFact, causedBy } from "./cautions.ts"
import { type Box, isWithin, type Region } from "./region.ts"
import { type Axis, valuesThat } from "./space.ts"
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
 * Leaves out what is true of all of `base`. Also leaves out that an allow does not match a caution that it does not name,
 * such as outsiders' events: this holds for every allow.
 */
export function casesOf(region: Region, base: Region, vocabulary: Vocabulary): Result<Cases, TooComplex> {
  const { axes, family } = region.space
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
  const speeches = axes.map((axis, index) =>
    speechOf(axis, family, around[index] ?? 0n, vocabulary.get(axis.claim) ?? []),
  )
  return {
    ok: true,
    value: widened.map((box) =>
      speeches.flatMap((speech, index): Phrase[] => {
        const said = phraseOf(speech, box[index] ?? 0n)
        if (said === null) return []
        return [typeof said === "string" ? { claim: speech.axis.claim, says: said } : said]
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

/** What one axis is spoken of in. Sets of its values are bits, as in a box. */
interface Speech {
  readonly axis: Axis
  /** The values that there can be. */
  readonly possible: bigint
  /** Those of them that are texts; the claim's absence is the only other one. */
  readonly texts: bigint
  /** Those of the texts that cause a caution, by caution. */
  readonly marked: ReadonlyMap<CautionFact, bigint>
  /** The patterns that rules speak of the claim by, and which of the texts each of them matches. */
  readonly known: () => readonly Known[]
}

interface Known {
  readonly source: string
  readonly covers: bigint
}

function speechOf(axis: Axis, family: FamilyFacts, possible: bigint, patterns: readonly Pattern[]): Speech {
  const texts = possible & bitsThat(axis, (value) => value !== null)
  let known: readonly Known[] | undefined
  const match = (pattern: Pattern) => {
    const condition = { claim: axis.claim, test: { kind: "any" as const, patterns: [pattern] } }
    return texts & valuesThat(axis, (claims) => matchCondition(condition, "allow", claims))
  }
  const marked = new Map<CautionFact, bigint>()
  for (const [at, value] of axis.values.entries()) {
    for (const fact of causedBy(family, axis.claim, value)) {
      marked.set(fact, (marked.get(fact) ?? 0n) | ((1n << BigInt(at)) & texts))
    }
  }
  return {
    axis,
    possible,
    texts,
    marked,
    // Most axes are narrowed by no box, and need no pattern matched.
    known: () => {
      known ??= [...new Map(patterns.map((pattern) => [pattern.source, pattern])).values()].map((pattern) => ({
        source: pattern.source,
        covers: match(pattern),
      }))
      return known
    },
  }
}

/** Null when every value that there can be is admitted. */
function phraseOf(speech: Speech, admitted: bigint): string | Phrase | null {
  const { axis, possible, texts, marked } = speech
  if ((possible & ~admitted) === 0n) return null
  const inside = texts & admitted
  if (isCautionClaim(axis.claim)) return inside === 0n ? null : `is true`
  const cautious = [...marked.values()].reduce((all, bits) => all | bits, 0n)
  if (cautious !== 0n && (inside & cautious) === 0n) {
    if ((inside | cautious) === texts && ((possible & ~admitted) | cautious) === cautious) return null
  }
  if (inside === 0n) return "is missing"
  const plain = phraseOfTexts(speech, inside)
  if (cautious !== 0n && (inside & cautious) === 0n) {
    // Whichever says it shorter: that the others are left out goes without saying.
    const short = phraseOfTexts(speech, inside | cautious)
    if (plain === null || (short !== null && short.length < plain.length)) return short ?? suchAs(axis, inside)
  }
  for (const [fact, bits] of marked) {
    if (plain === null && bits === inside && (possible & admitted) === inside) return { claim: fact, says: "is true" }
  }
  const said = plain ?? suchAs(axis, inside)
  // More than the texts can be, and is admitted: the claim may be missing.
  if ((possible & admitted) !== inside)
    return said.startsWith("is not ") || said === "is there" ? `${said}, or is missing` : `${said} or is missing`
  return said
}

function phraseOfTexts({ texts, known }: Speech, inside: bigint): string | null {
  if (inside === texts) return "is there"
  const yes = coverOf(inside, known())
  if (yes !== null) return `is ${yes.join(" or ")}`
  const no = coverOf(texts & ~inside, known())
  if (no !== null) return `is not ${no.join(" or ")}`
  for (const { source, covers } of known().toSorted((a, b) => countOf(a.covers) - countOf(b.covers))) {
    if (!isSubset(inside, covers)) continue
    const but = coverOf(covers & ~inside, known())
    if (but !== null) return `is ${source}, but not ${but.join(" or ")}`
  }
  return null
}

/** A small set of the known patterns, found greedily, that together match exactly these texts. */
function coverOf(wanted: bigint, known: readonly Known[]): readonly string[] | null {
  const usable = known.filter(({ covers }) => covers !== 0n && isSubset(covers, wanted))
  const chosen: string[] = []
  let left = wanted
  while (left !== 0n) {
    let [best, most]: [Known | null, number] = [null, 0]
    for (const one of usable) {
      const count = countOf(one.covers & left)
      if (count > most) [best, most] = [one, count]
    }
    if (best === null) return null
    chosen.push(best.source)
    left &= ~best.covers
    if (chosen.length > MAX_ALTERNATIVES) return null
  }
  return chosen
}

const isSubset = (some: bigint, all: bigint): boolean => (some & all) === some

function bitsThat({ values }: Axis, holds: (value: string | null) => boolean): bigint {
  return values.reduce((bits, value, at) => (holds(value) ? bits | (1n << BigInt(at)) : bits), 0n)
}

/** How many values a set has. */
function countOf(bits: bigint): number {
  let count = 0
  for (let left = bits; left !== 0n; left &= left - 1n) count++
  return count
}

/** Two of the texts, for what no pattern says. */
const suchAs = ({ values }: Axis, inside: bigint): string =>
  `is such as ${values
    .filter((_, at) => (inside >> BigInt(at)) & 1n)
    .slice(0, 2)
    .join(" or ")}`

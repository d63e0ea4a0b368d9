import { atomsOf } from "../regions/atoms.ts"
import { codeUnits, type Edge, isOn, type Language, type Symbols } from "../regions/language.ts"

/** Symbols of which one occurs, or any number of any. Only a star occurs often. */
export interface Piece {
  readonly on: readonly Symbols[]
  readonly many: boolean
}

/** A text with wildcards, as vendors write them. */
export interface Wild {
  /** As the document writes it. */
  readonly source: string
  /** The only text that it matches; null when it has a wildcard or ignores case. */
  readonly literal: string | null
  readonly pieces: readonly Piece[]
  readonly language: Language
}

/** The texts of one claim that a condition lets in: those that one of the patterns matches, or with `negated` none. */
export interface Demand {
  readonly patterns: readonly Wild[]
  readonly negated: boolean
}

/** One text. */
export const literal = (text: string): Wild =>
  made(text, text, () => codeUnits(text).map((unit) => ({ on: [unit], many: false })))

/** Pieces and automaton are made when they are needed: most texts of documents are literal, and only compared. */
function made(source: string, text: string | null, make: () => readonly Piece[]): Wild {
  let pieces: readonly Piece[] | null = null
  let language: Language | null = null
  return {
    source,
    literal: text,
    get pieces() {
      pieces ??= make()
      return pieces
    },
    get language() {
      language ??= languageOf(this.pieces)
      return language
    },
  }
}

/** One text in capital or small letters, as `StringEqualsIgnoreCase` compares. */
export const inAnyCase = (text: string): Wild =>
  // A letter whose other case has more characters stays as it is: the broker's subjects are ASCII.
  made(text, null, () => codeUnits(text).map((unit) => ({ on: casesOf(unit), many: false })))

/** A text in which `*` matches any characters, and `?` exactly one unless `isQuestion` is false. */
export const wild = (source: string, isQuestion = true): Wild =>
  wildOf(
    source,
    codeUnits(source).map((unit) => (unit === STAR ? "many" : unit === QUESTION && isQuestion ? "one" : unit)),
  )

/** The same from single parts: a code unit, or a wildcard. */
export function wildOf(source: string, parts: readonly (number | "many" | "one")[]): Wild {
  const units = parts.filter((part) => typeof part === "number")
  const text = units.length === parts.length ? units.map((unit) => String.fromCharCode(unit)).join("") : null
  return made(source, text, () =>
    parts.map((part) =>
      typeof part === "number" ? { on: [part], many: false } : { on: ["anything"], many: part === "many" },
    ),
  )
}

/** Whether a text fulfils all demands on its claim. */
export const fulfils = (text: string, demands: readonly Demand[]): boolean =>
  demands.every(({ patterns, negated }) => patterns.some((one) => matches(one, text)) !== negated)

/** After a mismatch, it tries the last star again, and no earlier one. So the time is at most the product of both lengths. */
function matches(one: Wild, other: string): boolean {
  if (one.literal !== null) return one.literal === other
  const { pieces } = one
  let [piece, at, star, from] = [0, 0, -1, 0]
  while (at < other.length) {
    const next = pieces[piece]
    if (next?.many) [star, from, piece] = [piece, at, piece + 1]
    else if (next?.on.some((symbols) => isOn(symbols, other.charCodeAt(at)))) [piece, at] = [piece + 1, at + 1]
    else if (star >= 0) [piece, from, at] = [star + 1, from + 1, from + 1]
    else return false
  }
  while (pieces[piece]?.many) piece++
  return piece === pieces.length
}

/** The texts that fulfil all demands, if one demand lists them all; null when no demand does. */
export function listed(demands: readonly Demand[]): readonly string[] | null {
  for (const demand of demands) {
    const { patterns, negated } = demand
    const texts = patterns.flatMap((one) => one.literal ?? [])
    if (negated || texts.length < patterns.length) continue
    const others = demands.filter((other) => other !== demand)
    return [...new Set(texts)].filter((text) => fulfils(text, others))
  }
  return null
}

/**
 * A text that fulfils all demands and is none of `known`; null when there is none, and `unknown` when it takes too long to
 * tell. Exact, because the patterns are regular languages. The texts of `samples` come first: they are better examples.
 */
export function beyond(
  demands: readonly Demand[],
  known: ReadonlySet<string>,
  samples: readonly string[],
): { readonly text: string } | "unknown" | null {
  const sample = samples.find((text) => !known.has(text) && fulfils(text, demands))
  if (sample !== undefined) return { text: sample }
  const all = listed(demands)
  if (all !== null) {
    const text = all.find((one) => !known.has(one))
    return text === undefined ? null : { text }
  }
  const isLong = demands.some(({ patterns }) => patterns.some(({ source }) => source.length > MAX_PATTERN_CHARACTERS))
  if (isLong) return "unknown"
  const positives = demands.filter(({ negated }) => !negated).map(({ patterns }) => either(patterns))
  const negatives = demands.filter(({ negated }) => negated).map(({ patterns }) => either(patterns))
  const inside = [...known].filter((text) => fulfils(text, demands)).map((text) => literal(text).language)
  const [first = ANYTHING] = positives
  const atoms = atomsOf([...positives, ...negatives, ...inside], { within: [first], maxMoves: MAX_MOVES })
  if (!atoms.ok) return "unknown"
  const found = atoms.value.find(
    ({ members }) => members.length === positives.length && members.every((index) => index < positives.length),
  )
  return found === undefined ? null : { text: found.witness }
}

/** About a second. What people write takes a thousandth of it. */
const MAX_MOVES = 200_000
/** No vendor takes a longer text for a subject. */
const MAX_PATTERN_CHARACTERS = 4_096

const STAR = 0x2a
const QUESTION = 0x3f

/** One state before each piece, and an accepting one after the last. */
function languageOf(pieces: readonly Piece[]): Language {
  // Stars in a row mean the same as one, and each would multiply the edges of the states before it.
  const plain = pieces.filter(({ many }, index) => !(many && pieces[index - 1]?.many))
  const from = (state: number): number[] => (plain[state]?.many ? [state, ...from(state + 1)] : [state])
  const edges = plain.map(({ on, many }, state): Edge[] =>
    from(many ? state : state + 1).flatMap((to) => on.map((one) => ({ on: one, to }))),
  )
  return { edges: [...edges, []], starts: from(0), accepts: new Set([plain.length]) }
}

const ANYTHING: Language = languageOf([{ on: ["anything"], many: true }])

/** The texts of any of the patterns. */
function either(patterns: readonly Wild[]): Language {
  const edges: (readonly Edge[])[] = []
  const starts: number[] = []
  const accepts = new Set<number>()
  for (const { language } of patterns) {
    const offset = edges.length
    for (const state of language.starts) starts.push(state + offset)
    for (const state of language.accepts) accepts.add(state + offset)
    for (const out of language.edges) edges.push(out.map(({ on, to }) => ({ on, to: to + offset })))
  }
  return { edges, starts, accepts }
}

function casesOf(unit: number): readonly number[] {
  const text = String.fromCharCode(unit)
  const cases = [text.toLowerCase(), text.toUpperCase()].filter(({ length }) => length === 1)
  return [...new Set([unit, ...cases.map((one) => one.charCodeAt(0))])]
}

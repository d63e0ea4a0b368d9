import { atomsOf } from "../regions/atoms.ts"
import { codeUnits, type Edge, has, type Language, type Symbols } from "../regions/language.ts"

/** A text with wildcards, as vendors write them. */
export interface Wild {
  /** As the document writes it. */
  readonly source: string
  /** The only text that it matches; null when it has a wildcard or ignores case. */
  readonly literal: string | null
  readonly language: Language
}

/** The texts of one claim that a condition lets in: those that one of the patterns matches, or with `negated` none. */
export interface Demand {
  readonly patterns: readonly Wild[]
  readonly negated: boolean
}

/** One text. */
export const literal = (text: string): Wild => ({
  source: text,
  literal: text,
  language: languageOf(codeUnits(text).map((unit) => ({ on: [unit], many: false }))),
})

/** One text in capital or small letters, as `StringEqualsIgnoreCase` compares. */
export const inAnyCase = (text: string): Wild => ({
  source: text,
  literal: null,
  language: languageOf(
    [...text].flatMap((character) =>
      // A letter with capitals of another length stays as it is: the broker's subjects are ASCII.
      codeUnits(character).map((unit) => ({ on: casesOf(unit), many: false })),
    ),
  ),
})

/** A text in which `*` matches any characters, and `?` exactly one unless `isQuestion` is false. */
export function wild(source: string, isQuestion = true): Wild {
  return wildOf(
    source,
    codeUnits(source).map((unit): number | "many" | "one" =>
      unit === STAR ? "many" : unit === QUESTION && isQuestion ? "one" : unit,
    ),
  )
}

/** The same from single parts: a code unit, or a wildcard. */
export function wildOf(source: string, parts: readonly (number | "many" | "one")[]): Wild {
  const units = parts.filter((part) => typeof part === "number")
  return {
    source,
    literal: units.length === parts.length ? String.fromCharCode(...units) : null,
    language: languageOf(
      parts.map((part) =>
        typeof part === "number" ? { on: [part], many: false } : { on: ["anything" as const], many: part === "many" },
      ),
    ),
  }
}

/** Whether a text fulfils all demands on its claim. */
export const fulfils = (text: string, demands: readonly Demand[]): boolean =>
  demands.every(({ patterns, negated }) => patterns.some(({ language }) => has(language, text)) !== negated)

/** The texts that fulfil all demands, if one demand lists them all; null when no demand does. */
export function listed(demands: readonly Demand[]): readonly string[] | null {
  for (const { patterns, negated } of demands) {
    const texts = patterns.flatMap((one) => one.literal ?? [])
    if (negated || texts.length < patterns.length) continue
    return [...new Set(texts)].filter((text) => fulfils(text, demands))
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
const MAX_MOVES = 1_000_000

const STAR = 0x2a
const QUESTION = 0x3f

interface Piece {
  readonly on: readonly Symbols[]
  readonly many: boolean
}

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

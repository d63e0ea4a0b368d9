import type { Pattern } from "../../broker/core/policy/pattern.ts"

/**
 * A regular language over UTF-16 code units, as an automaton without empty moves. Patterns are such languages, so their
 * intersections and differences are computed exactly, not sampled.
 */
export interface Language {
  /** The edges from each state. */
  readonly edges: readonly (readonly Edge[])[]
  readonly starts: readonly number[]
  readonly accepts: ReadonlySet<number>
  /** All its texts, where it was made of one: what many claims of a scope can be. Spares walks over automata. */
  readonly texts?: readonly string[]
}

/** A move to another state, on one code unit or on any of a class. */
export interface Edge {
  readonly on: Symbols
  readonly to: number
}

/**
 * One code unit, or a class: `anything`; `segment` for the characters that `*` matches; `word` and `letter` for what may be
 * filled into a template, with and without the dot.
 */
export type Symbols = number | "anything" | "segment" | "word" | "letter"

/** A symbol that occurs once, or any number of times. */
interface Piece {
  readonly on: Symbols
  readonly many: boolean
}

/** The texts that a pattern matches. */
export function languageOfPattern(pattern: Pattern): Language {
  return chain(
    pattern.steps.flatMap((step): Piece[] => {
      if (step === "anything") return [{ on: step, many: true }]
      const once = { on: step, many: false }
      return step === "segment" ? [once, { on: step, many: true }] : [once]
    }),
  )
}

/** Exactly one text. */
export const languageOfText = (text: string): Language => new TextLanguage(text)

/** Most texts are never walked over, so that their automata are made on demand. */
class TextLanguage implements Language {
  readonly texts: readonly [string]
  #made: Language | null = null

  constructor(text: string) {
    this.texts = [text]
  }

  get edges() {
    return this.#automaton().edges
  }

  get starts() {
    return this.#automaton().starts
  }

  get accepts() {
    return this.#automaton().accepts
  }

  #automaton(): Language {
    this.#made ??= chain(literally(this.texts[0]))
    return this.#made
  }
}

/** No text. */
const NOTHING: Language = { edges: [], starts: [], accepts: new Set(), texts: [] }

/** Letters, digits and `_ . -`: at least one. */
export const WORD: Language = chain([
  { on: "word", many: false },
  { on: "word", many: true },
])

/** What may be filled into a template: letters, digits and `_ . -`, and not dots alone. */
export const INSERTABLE: Language = chain([
  { on: ".".charCodeAt(0), many: true },
  { on: "letter", many: false },
  { on: "word", many: true },
])

/** The texts of one language, each followed by one of the other. */
export function followedBy(first: Language, second: Language): Language {
  const offset = first.edges.length
  const seconds = second.starts.map((state) => state + offset)
  const ends = [...first.accepts]
  const moved = second.edges.map((edges) => edges.map(({ on, to }) => ({ on, to: to + offset })))
  const joined = first.edges.map((edges) => [
    ...edges,
    // An accepting state of the first language is also the start of the second.
    ...edges.filter(({ to }) => first.accepts.has(to)).flatMap(({ on }) => seconds.map((to) => ({ on, to }))),
  ])
  return {
    edges: [...joined, ...moved],
    starts: first.starts.some((state) => first.accepts.has(state)) ? [...first.starts, ...seconds] : first.starts,
    accepts: new Set([
      ...[...second.accepts].map((state) => state + offset),
      ...(second.starts.some((state) => second.accepts.has(state)) ? ends : []),
    ]),
  }
}

/** The texts that belong to both languages. */
export function common(one: Language, other: Language): Language {
  if (other.texts !== undefined) return other.texts.every((text) => has(one, text)) ? other : NOTHING
  const width = other.edges.length
  const pair = (a: number, b: number) => a * width + b
  const pairs = (as: Iterable<number>, bs: Iterable<number>) => [...as].flatMap((a) => [...bs].map((b) => pair(a, b)))
  const edges = one.edges.flatMap((ofOne) =>
    other.edges.map((ofOther) =>
      ofOne.flatMap((a) =>
        ofOther.flatMap((b): Edge[] => {
          const on = narrower(a.on, b.on)
          return on === null ? [] : [{ on, to: pair(a.to, b.to) }]
        }),
      ),
    ),
  )
  return { edges, starts: pairs(one.starts, other.starts), accepts: new Set(pairs(one.accepts, other.accepts)) }
}

/**
 * The quotient of a language: the texts between `before` and `after` in its texts. It turns the allowed texts of a template
 * into the allowed values of the claim in its gap.
 */
export function between(before: string, language: Language, after: string): Language {
  const accepts = language.edges.flatMap((_, state) =>
    walk(language, [state], after).some((end) => language.accepts.has(end)) ? [state] : [],
  )
  return { edges: language.edges, starts: walk(language, language.starts, before), accepts: new Set(accepts) }
}

/** Whether this text belongs to the language. */
export const has = (language: Language, text: string): boolean =>
  language.texts?.includes(text) ?? walk(language, language.starts, text).some((state) => language.accepts.has(state))

/** Whether a code unit is one of the symbols. */
export function isOn(symbols: Symbols, unit: number): boolean {
  switch (symbols) {
    case "anything":
      return true
    case "segment":
      return !SEPARATORS.has(unit)
    case "word":
      return WORD_UNITS.has(unit)
    case "letter":
      return WORD_UNITS.has(unit) && unit !== DOT
    default:
      return symbols === unit
  }
}

/** The UTF-16 code units of a text. Languages and patterns work on these. */
export function codeUnits(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
}

/** Each class of symbols contains the classes after it. */
const CLASSES: readonly Symbols[] = ["anything", "segment", "word", "letter"]

/** The intersection of two symbols; null when it is empty. */
function narrower(one: Symbols, other: Symbols): Symbols | null {
  if (typeof one === "number") return isOn(other, one) ? one : null
  if (typeof other === "number") return isOn(one, other) ? other : null
  return CLASSES.indexOf(one) > CLASSES.indexOf(other) ? one : other
}

const DOT = 0x2e
/** The code units that `*` does not match. */
export const SEPARATORS: ReadonlySet<number> = new Set(codeUnits("/:@"))
const WORD_UNITS: ReadonlySet<number> = new Set(
  codeUnits("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"),
)

const literally = (text: string): Piece[] => codeUnits(text).map((on) => ({ on, many: false }))

/** A sequence of pieces. There is one state before each piece, and an accepting state after the last. */
function chain(pieces: readonly Piece[]): Language {
  /** A state, and those reachable from it without a symbol, because the pieces between may occur zero times. */
  const from = (state: number): number[] => (pieces[state]?.many ? [state, ...from(state + 1)] : [state])
  return {
    edges: [...pieces.map(({ on, many }, state) => from(many ? state : state + 1).map((to) => ({ on, to }))), []],
    starts: from(0),
    accepts: new Set([pieces.length]),
  }
}

function walk(language: Language, from: readonly number[], text: string): readonly number[] {
  let states: ReadonlySet<number> = new Set(from)
  for (const unit of codeUnits(text)) {
    const next = new Set<number>()
    for (const state of states) for (const { on, to } of language.edges[state] ?? []) if (isOn(on, unit)) next.add(to)
    states = next
  }
  return [...states]
}

import { ok, type Result } from "../../broker/core/result.ts"
import { codeUnits, type Edge, has, isOn, type Language, SEPARATORS } from "./language.ts"
import { type TooComplex, tooComplex } from "./too-complex.ts"

/**
 * All the texts that some languages cannot tell apart, by one of them. Among finitely many languages there are finitely
 * many atoms, and any text whatever belongs to exactly one: what holds for the witnesses holds for every text.
 */
export interface Atom {
  /** Indices, rising, of the languages that have these texts. */
  readonly members: readonly number[]
  /** One of the texts: a sample if one was given, or the shortest. Empty only if no other text will do. */
  readonly witness: string
}

export interface AtomOptions {
  /** Only texts of at least one of these. Left out: any text. */
  readonly within?: readonly Language[]
  /** Texts that make good witnesses, the best first; their atoms come first. */
  readonly samples?: readonly string[]
  /** How many moves of an automaton may be looked at. */
  readonly maxMoves?: number
}

const MAX_MOVES = 4_000_000
const MAX_ATOMS = 2_000

/**
 * The atoms of some languages: every combination of them that a text can belong to, and none that no text can.
 *
 * Runs all automata together over all texts at once, shortest first, and notes at each state who accepts. The alphabet is
 * exact at each state: the code units that some edge there spells out, and one for each kind of all others. Patterns can
 * be written for which there are exponentially many states; past `maxMoves` the answer is that it is too complex.
 */
export function atomsOf(
  languages: readonly Language[],
  options: AtomOptions = {},
): Result<readonly Atom[], TooComplex> {
  const { within = [], samples = [], maxMoves = MAX_MOVES } = options
  const machine = joined([...languages, ...within])
  const isWithin = (owners: readonly number[]) => within.length === 0 || (owners.at(-1) ?? -1) >= languages.length
  const accepting = (states: readonly number[]) => machine.owners(states.filter((state) => machine.accepts.has(state)))
  const found = new Map<string, Atom>()
  const note = (accepted: readonly number[], witness: string) => {
    const members = accepted.filter((index) => index < languages.length)
    const key = members.join()
    if (isWithin(accepted) && !found.has(key)) found.set(key, { members, witness })
  }
  for (const sample of samples) note(machine.having(sample), sample)

  const seen = new Set<string>()
  let front: State[] = [{ states: machine.starts, text: "" }]
  let moves = 0
  while (front.length > 0) {
    const next: State[] = []
    for (const { states, text } of front) {
      // The empty text stands back: another of its atom says more to whoever reads it.
      if (text !== "") note(accepting(states), text)
      for (const unit of alphabetAt(machine, states)) {
        const reached = machine.step(states, unit)
        moves += states.length + 1
        const key = reached.join()
        if (seen.has(key)) continue
        seen.add(key)
        // Once no text of `within` can follow, nothing that follows counts.
        if (isWithin(machine.owners(reached))) next.push({ states: reached, text: text + String.fromCharCode(unit) })
      }
      if (moves > maxMoves || found.size > MAX_ATOMS) return tooComplex("these patterns overlap in too many ways")
    }
    front = next
  }
  note(accepting(machine.starts), "")
  return ok([...found.values()])
}

/** A text that both languages have; null when there is none. */
export function meeting(one: Language, other: Language): Result<string | null, TooComplex> {
  return first([one, other], (members) => members.length === 2, one)
}

/** A text of the language that none of the others has; null when they cover it. */
export function escaping(language: Language, others: readonly Language[]): Result<string | null, TooComplex> {
  return first(others, (members) => members.length === 0, language)
}

function first(
  languages: readonly Language[],
  wanted: (members: readonly number[]) => boolean,
  within: Language,
): Result<string | null, TooComplex> {
  const atoms = atomsOf(languages, { within: [within] })
  return atoms.ok ? ok(atoms.value.find(({ members }) => wanted(members))?.witness ?? null) : atoms
}

interface State {
  /** Rising. */
  readonly states: readonly number[]
  readonly text: string
}

/** Several automata side by side, as one. */
interface Machine {
  readonly starts: readonly number[]
  readonly accepts: ReadonlySet<number>
  readonly edges: Language["edges"]
  step(states: readonly number[], unit: number): readonly number[]
  /** Indices, rising, of the languages that some states belong to. */
  owners(states: readonly number[]): readonly number[]
  /** Indices, rising, of the languages that have a text. */
  having(text: string): readonly number[]
}

function joined(languages: readonly Language[]): Machine {
  const edges: (readonly Edge[])[] = []
  const owner: number[] = []
  const starts: number[] = []
  const accepts = new Set<number>()
  for (const [index, language] of languages.entries()) {
    const offset = edges.length
    for (const state of language.starts) starts.push(state + offset)
    for (const state of language.accepts) accepts.add(state + offset)
    for (const out of language.edges) {
      edges.push(out.map(({ on, to }) => ({ on, to: to + offset })))
      owner.push(index)
    }
  }
  return {
    edges,
    starts: rising(new Set(starts)),
    accepts,
    step(states, unit) {
      const reached = new Set<number>()
      for (const state of states) for (const { on, to } of edges[state] ?? []) if (isOn(on, unit)) reached.add(to)
      return rising(reached)
    },
    owners: (states) => [...new Set(states.map((state) => owner[state] ?? 0))],
    having: (text) => languages.flatMap((language, index) => (has(language, text) ? [index] : [])),
  }
}

function rising(states: ReadonlySet<number>): readonly number[] {
  return states.size < 2 ? [...states] : [...states].sort((a, b) => a - b)
}

/** Code units that stand for all others of their kind, the most readable first. */
const LETTERS = codeUnits("xyzabcdefghijklmnopqrstuvwXYZABCDEFGHIJKLMNOPQRSTUVW0123456789_-")
const DOTS = codeUnits(".")
const REST = codeUnits("+~%!#$&'(),;=?[]^`{|}<> ")
const KINDS = [LETTERS, DOTS, [...SEPARATORS]]

/**
 * Code units by which every move from these states can be made: each that an edge spells out, and of the others, which no
 * edge tells apart within their kind, one a kind.
 */
function alphabetAt({ edges }: Machine, states: readonly number[]): readonly number[] {
  const spelt = new Set<number>()
  for (const state of states) for (const { on } of edges[state] ?? []) if (typeof on === "number") spelt.add(on)
  const others = KINDS.flatMap((kind) => kind.find((unit) => !spelt.has(unit)) ?? [])
  return [...others, ...[...spelt].sort((a, b) => a - b), unspelt(spelt)]
}

/** A code unit of no kind above that is not spelt out: there are more of them than any number of patterns can spell. */
function unspelt(spelt: ReadonlySet<number>): number {
  const plain = REST.find((unit) => !spelt.has(unit))
  if (plain !== undefined) return plain
  let unit = 0xa1
  while (spelt.has(unit)) unit++
  return unit
}

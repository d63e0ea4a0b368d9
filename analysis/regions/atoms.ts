import { ok, type Result } from "../../broker/core/result.ts"
import { codeUnits, type Edge, has, isOn, type Language, SEPARATORS } from "./language.ts"
import { type TooComplex, tooComplex } from "./too-complex.ts"

/**
 * A group of texts that some languages cannot distinguish, represented by one of them. Finitely many languages have finitely
 * many atoms, and every text belongs to exactly one atom. So what holds for the witnesses holds for every text.
 */
export interface Atom {
  /** Indices of the languages that contain these texts, in rising order. */
  readonly members: readonly number[]
  /** One of the texts: a given sample, or the shortest text. Empty only if the atom has no other text. */
  readonly witness: string
}

export interface AtomOptions {
  /** Only texts of at least one of these languages. Absent: any text. */
  readonly within?: readonly Language[]
  /** Texts that are good witnesses, the best first. Their atoms come first. */
  readonly samples?: readonly string[]
  /** The most moves of an automaton to examine. */
  readonly maxMoves?: number
}

const MAX_MOVES = 4_000_000
const MAX_ATOMS = 2_000

/**
 * The atoms of some languages: exactly the combinations of languages that a text can belong to.
 *
 * Runs all automata together over all texts, the shortest first, and records at each state which languages accept. The
 * alphabet is exact at each state: the code units that an edge spells out, and one unit for each kind of the others. Some
 * patterns lead to exponentially many states; after `maxMoves` the result is "too complex".
 */
export function atomsOf(
  languages: readonly Language[],
  options: AtomOptions = {},
): Result<readonly Atom[], TooComplex> {
  const { within = [], samples = [], maxMoves = MAX_MOVES } = options
  const all = [...languages, ...within]
  const having = (text: string) => all.flatMap((language, index) => (has(language, text) ? [index] : []))
  const isWithin = (owners: readonly number[]) => within.length === 0 || (owners.at(-1) ?? -1) >= languages.length
  const found = new Map<string, Atom>()
  const note = (accepted: readonly number[], witness: string) => {
    const members = accepted.filter((index) => index < languages.length)
    const key = members.join()
    if (isWithin(accepted) && !found.has(key)) found.set(key, { members, witness })
  }
  for (const sample of samples) note(having(sample), sample)
  const few = textsOf(within)
  if (few !== null) {
    for (const text of few) note(having(text), text)
    return found.size > MAX_ATOMS ? TOO_MANY : ok([...found.values()])
  }

  const machine = joined(all)
  const accepting = (states: readonly number[]) => machine.owners(states.filter((state) => machine.accepts.has(state)))
  const seen = new Set<string>()
  let front: State[] = [{ states: machine.starts, text: "" }]
  let moves = 0
  while (front.length > 0) {
    const next: State[] = []
    for (const { states, text } of front) {
      // Prefers another text of the same atom to the empty one: it tells the reader more.
      if (text !== "") note(accepting(states), text)
      for (const unit of alphabetAt(machine, states)) {
        const reached = machine.step(states, unit)
        moves += states.length + 1
        const key = reached.join()
        if (seen.has(key)) continue
        seen.add(key)
        // Stops when no text of `within` can follow.
        if (isWithin(machine.owners(reached))) next.push({ states: reached, text: text + String.fromCharCode(unit) })
      }
      if (moves > maxMoves || found.size > MAX_ATOMS) return TOO_MANY
    }
    front = next
  }
  note(accepting(machine.starts), "")
  return ok([...found.values()])
}

const TOO_MANY = tooComplex("these patterns overlap in too many ways")

/** All texts of some languages, in the order of a walk over them; null where that takes a walk. */
function textsOf(languages: readonly Language[]): readonly string[] | null {
  if (languages.length === 0) return null
  const texts: string[] = []
  for (const language of languages) {
    if (language.texts === undefined) return null
    texts.push(...language.texts)
  }
  // The shortest first, and the empty one last: it tells the reader the least.
  return texts.sort((a, b) => Number(a === "") - Number(b === "") || a.length - b.length || (a < b ? -1 : 1))
}

/** A text that belongs to both languages; null when there is none. */
export function meeting(one: Language, other: Language): Result<string | null, TooComplex> {
  return first([one, other], (members) => members.length === 2, one)
}

/** A text of the language that belongs to none of the others; null when the others cover the language. */
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

/** Several automata combined into one. */
interface Machine {
  readonly starts: readonly number[]
  readonly accepts: ReadonlySet<number>
  readonly edges: Language["edges"]
  step(states: readonly number[], unit: number): readonly number[]
  /** Indices, rising, of the languages that some states belong to. */
  owners(states: readonly number[]): readonly number[]
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
  }
}

function rising(states: ReadonlySet<number>): readonly number[] {
  return states.size < 2 ? [...states] : [...states].sort((a, b) => a - b)
}

/** Code units that represent all others of their kind, the most readable first. */
const LETTERS = codeUnits("xyzabcdefghijklmnopqrstuvwXYZABCDEFGHIJKLMNOPQRSTUVW0123456789_-")
const DOTS = codeUnits(".")
const REST = codeUnits("+~%!#$&'(),;=?[]^`{|}<> ")
const KINDS = [LETTERS, DOTS, [...SEPARATORS]]

/**
 * Code units that cover every move from these states: each unit that an edge spells out, and one of each kind of the others,
 * which edges cannot distinguish within a kind.
 */
function alphabetAt({ edges }: Machine, states: readonly number[]): readonly number[] {
  const spelt = new Set<number>()
  for (const state of states) for (const { on } of edges[state] ?? []) if (typeof on === "number") spelt.add(on)
  const others = KINDS.flatMap((kind) => kind.find((unit) => !spelt.has(unit)) ?? [])
  return [...others, ...[...spelt].sort((a, b) => a - b), unspelt(spelt)]
}

/** A code unit outside the kinds above that no edge spells out. There are always some: patterns cannot spell out all. */
function unspelt(spelt: ReadonlySet<number>): number {
  const plain = REST.find((unit) => !spelt.has(unit))
  if (plain !== undefined) return plain
  let unit = 0xa1
  while (spelt.has(unit)) unit++
  return unit
}

import { fail, ok, type Result } from "../result.ts"

/** The maximum length of a pattern, in UTF-16 code units. It bounds the cost of one match. */
export const MAX_PATTERN_CHARACTERS = 256

/** A compiled pattern. Only `compilePattern` makes one, so every pattern has been checked. */
export interface Pattern {
  /** The pattern as the policy wrote it, for traces. */
  readonly source: string
  /** The only value that it matches, when it has no wildcard; null otherwise. */
  readonly literal: string | null
  /** The text before the first wildcard: every value that matches starts with it. */
  readonly prefix: string
  readonly steps: readonly Step[]
}

/** One code unit to match, or a wildcard: `segment` for `*`, `anything` for `**`. */
type Step = number | "segment" | "anything"

/** `**`, which matches every value. */
export const ANYTHING: Pattern = { source: "**", literal: null, prefix: "", steps: ["anything"] }

const SLASH = 0x2f
const COLON = 0x3a
const AT = 0x40

/**
 * Compiles a pattern. `*` matches one or more characters other than `/`, `:` and `@`; `**` matches zero or more of any
 * characters; `\*` matches a star; every other character matches itself.
 *
 * Never builds a regular expression. Other tools put the pattern between `^` and `$`, which breaks as soon as a policy
 * contains `|` or a bracket, and the cost of a regular expression depends on the text.
 */
export function compilePattern(source: string): Result<Pattern, string> {
  if (source === "") return fail("a pattern must not be empty: an empty one matches nothing")
  if (source.length > MAX_PATTERN_CHARACTERS) {
    return fail(`a pattern has at most ${MAX_PATTERN_CHARACTERS} characters, but this one has ${source.length}`)
  }
  const steps: Step[] = []
  let prefix = ""
  let literal = true
  for (let at = 0; at < source.length; at++) {
    const character = source.charAt(at)
    if (character < " " || character === "\u007f")
      return fail("a pattern must not contain line breaks or control characters")
    if (character === "*") {
      if (source.startsWith("***", at)) return fail("three stars in a row are ambiguous: write * or **")
      const double = source.charAt(at + 1) === "*"
      steps.push(double ? "anything" : "segment")
      literal = false
      if (double) at++
      continue
    }
    if (character === "\\") {
      if (source.charAt(at + 1) !== "*") return fail("a backslash is only allowed before a star: \\* is a literal star")
      at++
    }
    steps.push(source.charCodeAt(at))
    if (literal) prefix += source.charAt(at)
  }
  return ok({ source, literal: literal ? prefix : null, prefix, steps })
}

/**
 * Whether the pattern matches the whole value, case-sensitively.
 *
 * Walks the value once with the set of steps that are reachable so far. The cost is at most the value's length times the
 * pattern's length, for any input. There is no backtracking, so no input is exponential.
 */
export function matchPattern(pattern: Pattern, value: string): boolean {
  if (pattern.literal !== null) return pattern.literal === value
  const { steps } = pattern
  // The last round in which each step was reached, so that no array has to be cleared for each character.
  const reached = new Uint32Array(steps.length + 1)
  let current: number[] = []
  reach(steps, current, reached, 0, 1)
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at)
    const round = at + 2
    const next: number[] = []
    for (const index of current) {
      const step = steps[index]
      if (step === undefined) continue
      if (step === "anything") reach(steps, next, reached, index, round)
      else if (step === "segment") {
        if (unit === SLASH || unit === COLON || unit === AT) continue
        reach(steps, next, reached, index, round)
        reach(steps, next, reached, index + 1, round)
      } else if (step === unit) reach(steps, next, reached, index + 1, round)
    }
    if (next.length === 0) return false
    current = next
  }
  return reached[steps.length] === value.length + 1
}

/** Adds a step, and the steps after it that need no character: `**` may match zero characters. */
function reach(steps: readonly Step[], into: number[], reached: Uint32Array, from: number, round: number): void {
  for (let index = from; reached[index] !== round; index++) {
    reached[index] = round
    into.push(index)
    if (steps[index] !== "anything") return
  }
}

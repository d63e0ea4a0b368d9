import { fail, ok, type Result } from "../result.ts"

/** A pattern is at most this long, in UTF-16 code units. It bounds what one match can cost. */
export const MAX_PATTERN_CHARACTERS = 256

/** A compiled pattern. Made by `compilePattern` only, so that none exists that was not checked. */
export interface Pattern {
  /** As the policy wrote it: what traces show. */
  readonly source: string
  /** The one value that it matches, when it has no wildcard; null otherwise. */
  readonly literal: string | null
  /** What every value that it matches begins with: the text before the first wildcard. */
  readonly prefix: string
  readonly steps: readonly Step[]
}

/** A code unit to be met, or a wildcard: `segment` for `*`, `anything` for `**`. */
type Step = number | "segment" | "anything"

const SLASH = 0x2f
const COLON = 0x3a
const AT = 0x40

/**
 * Compiles a pattern: `*` stands for one or more characters other than `/`, `:` and `@`, `**` for any characters, none
 * included, `\*` for a star; everything else for itself.
 *
 * Never builds a regular expression: wrapping one between `^` and `$` went wrong in peers as soon as a policy contained
 * `|` or a bracket, and its cost depends on the text.
 */
export function compilePattern(source: string): Result<Pattern, string> {
  if (source === "") return fail("a pattern is not empty: nothing would ever match it")
  if (source.length > MAX_PATTERN_CHARACTERS) {
    return fail(`a pattern has at most ${MAX_PATTERN_CHARACTERS} characters, and this one has ${source.length}`)
  }
  const steps: Step[] = []
  let prefix = ""
  let literal = true
  for (let at = 0; at < source.length; at++) {
    const character = source.charAt(at)
    if (character < " " || character === "\u007f") return fail("a pattern has no line breaks or control characters")
    if (character === "*") {
      if (source.startsWith("***", at)) return fail("three stars in a row can be read two ways: write * or **")
      const double = source.charAt(at + 1) === "*"
      steps.push(double ? "anything" : "segment")
      literal = false
      if (double) at++
      continue
    }
    if (character === "\\") {
      if (source.charAt(at + 1) !== "*") return fail("a backslash stands only before a star: \\* is a literal star")
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
 * Walks the value once with the set of steps that can be reached so far: at most length of value times length of
 * pattern, whatever either says. There is no backtracking that could explode.
 */
export function matchPattern(pattern: Pattern, value: string): boolean {
  if (pattern.literal !== null) return pattern.literal === value
  const { steps } = pattern
  // Marks the round in which a step was reached last, so that no array is cleared a character.
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

/** Adds a step, and those behind it that need no character: `**` may stand for none. */
function reach(steps: readonly Step[], into: number[], reached: Uint32Array, from: number, round: number): void {
  for (let index = from; reached[index] !== round; index++) {
    reached[index] = round
    into.push(index)
    if (steps[index] !== "anything") return
  }
}

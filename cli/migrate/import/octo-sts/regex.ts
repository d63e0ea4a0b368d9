import { fail, ok, type Result } from "../../../../broker/core/result.ts"

/** More patterns than this are no rule that a person can read. */
const MAX_PATTERNS = 64

/**
 * The patterns of a policy that match exactly what a regular expression of octo-sts matches, which is always about the whole value.
 * Texts, alternatives, optional parts, `.*` (any characters: `**`) and `[^/:@]+` (`*`) have such patterns. Everything else is
 * refused, because a pattern that is nearly the same would let others in, or lock some out without a word. Pure.
 *
 * The fault is the end of a sentence that begins with the expression.
 */
export function patternsOf(regex: string): Result<readonly string[], string> {
  const reader = new Reader(regex.replace(/^\^/, "").replace(/(?<!\\)\$$/, ""))
  try {
    const patterns = reader.whole()
    if (patterns.some((pattern) => pattern === "" || pattern.includes("***")))
      return fail("matches what no pattern of a policy can")
    return ok([...new Set(patterns)].sort())
  } catch (error) {
    if (error instanceof Inexpressible) return fail(error.message)
    throw error
  }
}

class Inexpressible extends Error {}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): readonly string[] {
    const all = this.#alternatives()
    if (this.#at < this.#text.length) throw new Inexpressible("has a bracket without its partner")
    return all
  }

  #alternatives(): readonly string[] {
    const all = [...this.#sequence()]
    while (this.#text[this.#at] === "|") {
      this.#at += 1
      all.push(...this.#sequence())
    }
    return bounded(all)
  }

  #sequence(): readonly string[] {
    let all: readonly string[] = [""]
    while (this.#at < this.#text.length && !"|)".includes(this.#text[this.#at] ?? "")) {
      const atom = this.#atom()
      all = bounded(all.flatMap((before) => atom.map((one) => joined(before, one))))
    }
    return all
  }

  #atom(): readonly string[] {
    const atom = this.#single()
    const next = this.#text[this.#at] ?? ""
    if (next === "?") {
      this.#at += 1
      if (this.#text[this.#at] === "?") throw new Inexpressible("has ??, which no pattern can say")
      return [...atom, ""]
    }
    if ("*+{".includes(next) && next !== "")
      throw new Inexpressible(`repeats a part with ${next}, which no pattern can say`)
    return atom
  }

  #single(): readonly string[] {
    const rest = this.#text.slice(this.#at)
    const [any] = /^\.\*(?![?+*])/.exec(rest) ?? /^\[\^\/:@\]\+(?![?+*])/.exec(rest) ?? []
    if (any !== undefined) {
      this.#at += any.length
      return [any === ".*" ? "**" : "*"]
    }
    const [group] = /^\((?:\?:)?(?!\?)/.exec(rest) ?? []
    if (group !== undefined) {
      this.#at += group.length
      const inner = this.#alternatives()
      if (this.#text[this.#at] !== ")") throw new Inexpressible("has a bracket without its partner")
      this.#at += 1
      return inner
    }
    const [escaped, literal = ""] = /^\\([^A-Za-z0-9\s\\])/.exec(rest) ?? []
    if (escaped !== undefined) {
      this.#at += escaped.length
      return [literal === "*" ? "\\*" : literal]
    }
    const character = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0)
    if (character === ".")
      throw new Inexpressible(
        "has a dot that stands for any one character: write \\. for a dot, or .* for any characters",
      )
    if ("\\[]()*+?{}^$".includes(character))
      throw new Inexpressible(`has ${escapedWord(rest)}, which no pattern can say`)
    this.#at += character.length
    return [character]
  }
}

/** Two single stars would be read as `**`, which matches slashes, too. */
function joined(before: string, one: string): string {
  if (/(?:^|[^\\*])\*$/.test(before) && /^\*(?!\*)/.test(one))
    throw new Inexpressible("has [^/:@]+ twice in a row, which no pattern can say")
  return before + one
}

const escapedWord = (rest: string) => (/^\\./.exec(rest) ?? /^\[[^\]]*\]/.exec(rest) ?? [rest.slice(0, 1)])[0]

function bounded(all: readonly string[]): readonly string[] {
  if (all.length > MAX_PATTERNS) throw new Inexpressible(`stands for more than ${MAX_PATTERNS} patterns`)
  return all
}

import { codeUnits } from "../regions/language.ts"
import { type Wild, wildOf } from "./wild.ts"

/** One comparison of an attribute condition: a path such as `assertion.sub`, and the texts that it may have. */
export interface Comparison {
  readonly path: string
  readonly patterns: readonly Wild[]
  readonly negated: boolean
}

const MAX_ALTERNATIVES = 256
const MAX_DEPTH = 32

/**
 * An attribute condition as alternatives, each with comparisons that must all be true. Reads the part of the Common
 * Expression Language that compares attributes with texts: `==`, `!=`, `in`, `startsWith`, `endsWith`, `contains`, `!`,
 * `&&`, `||` and parentheses. Null for anything else, and for too many alternatives.
 */
export function alternativesOf(expression: string): readonly (readonly Comparison[])[] | null {
  const tokens = tokensOf(expression)
  if (tokens === null) return null
  try {
    const reader = new Reader(tokens)
    const found = reader.either(0, false)
    return reader.isDone() ? found : null
  } catch (error) {
    if (error instanceof NotRead) return null
    throw error
  }
}

/** Ends the recursion. It is always caught in this file. */
class NotRead extends Error {}

type Token =
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "word" | "mark"; readonly value: string }

/** Texts without escapes, paths with dots or brackets, and marks; null for other characters. */
const TOKEN =
  /\s*(?:'([^'\\\n]*)'|"([^"\\\n]*)"|([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*|\[(?:'[^'\\\n]*'|"[^"\\\n]*")\])*)|(==|!=|&&|\|\||[()[\],!]))/y

function tokensOf(expression: string): readonly Token[] | null {
  const tokens: Token[] = []
  const text = expression.trimEnd()
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (match === null) return null
    const [, single, double, word, mark] = match
    const quoted = single ?? double
    if (quoted !== undefined) tokens.push({ kind: "text", value: quoted })
    else if (word !== undefined) tokens.push({ kind: "word", value: word })
    else tokens.push({ kind: "mark", value: mark ?? "" })
  }
  return tokens
}

type Alternatives = readonly (readonly Comparison[])[]

/** Recursive descent. `negated` turns `&&` into `||` and back (De Morgan), so that only comparisons are negated. */
class Reader {
  #at = 0
  readonly #tokens: readonly Token[]

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  isDone(): boolean {
    return this.#at === this.#tokens.length
  }

  either(depth: number, negated: boolean): Alternatives {
    let found = this.both(depth, negated)
    while (this.#takes("||"))
      found = negated ? every(found, this.both(depth, negated)) : some(found, this.both(depth, negated))
    return found
  }

  both(depth: number, negated: boolean): Alternatives {
    let found = this.single(depth, negated)
    while (this.#takes("&&"))
      found = negated ? some(found, this.single(depth, negated)) : every(found, this.single(depth, negated))
    return found
  }

  single(depth: number, negated: boolean): Alternatives {
    if (depth > MAX_DEPTH) throw new NotRead()
    if (this.#takes("!")) return this.single(depth + 1, !negated)
    if (this.#takes("(")) {
      const found = this.either(depth + 1, negated)
      this.#expect(")")
      return found
    }
    return [[this.#comparison(negated)]]
  }

  #comparison(negated: boolean): Comparison {
    const path = this.#take("word")
    const [, subject, method] = /^(.+)\.(startsWith|endsWith|contains)$/.exec(path) ?? []
    if (subject !== undefined && this.#takes("(")) {
      const text = this.#take("text")
      this.#expect(")")
      const before = method === "startsWith" ? [] : ["many" as const]
      const after = method === "endsWith" ? [] : ["many" as const]
      return { path: subject, patterns: [wildOf(text, [...before, ...codeUnits(text), ...after])], negated }
    }
    if (this.#takes("==")) return { path, patterns: [this.#text()], negated }
    if (this.#takes("!=")) return { path, patterns: [this.#text()], negated: !negated }
    if (this.#take("word") !== "in") throw new NotRead()
    this.#expect("[")
    const patterns: Wild[] = []
    if (!this.#takes("]")) {
      do patterns.push(this.#text())
      while (this.#takes(","))
      this.#expect("]")
    }
    return { path, patterns, negated }
  }

  #text(): Wild {
    const text = this.#take("text")
    return wildOf(text, codeUnits(text))
  }

  #take(kind: Token["kind"]): string {
    const token = this.#tokens[this.#at]
    if (token?.kind !== kind) throw new NotRead()
    this.#at++
    return token.value
  }

  #takes(mark: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== "mark" || token.value !== mark) return false
    this.#at++
    return true
  }

  #expect(mark: string): void {
    if (!this.#takes(mark)) throw new NotRead()
  }
}

function some(one: Alternatives, other: Alternatives): Alternatives {
  return within([...one, ...other])
}

function every(one: Alternatives, other: Alternatives): Alternatives {
  if (one.length * other.length > MAX_ALTERNATIVES) throw new NotRead()
  return one.flatMap((left) => other.map((right) => [...left, ...right]))
}

function within(all: Alternatives): Alternatives {
  if (all.length > MAX_ALTERNATIVES) throw new NotRead()
  return all
}

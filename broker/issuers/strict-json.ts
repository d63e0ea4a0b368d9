import type { ClaimValue } from "../core/identity.ts"
import { fail, ok, type Result } from "../core/result.ts"

/** A JSON object without a prototype, so that a member named `__proto__` or `constructor` is an ordinary member. */
export type JsonObject = Readonly<Record<string, ClaimValue>>

/** The allowed depth of nested objects and arrays, including the outermost one. */
export const MAX_JSON_DEPTH = 8

/**
 * Parses one JSON object (RFC 8259). Refuses everything that two readers could read differently: duplicate keys, bytes that
 * are not UTF-8, a byte order mark, lone surrogates, numbers that a double cannot hold exactly, and more than
 * `MAX_JSON_DEPTH` levels.
 *
 * `JSON.parse` keeps the last of two equal keys and other parsers keep the first, so a token could have one meaning for the
 * issuer's tools and another for the broker. It also reads 1795300300.00000000001 as an integer. Never throws, takes time
 * linear in the text's length, and its faults quote nothing of the text.
 */
export function parseStrictJsonObject(bytes: Uint8Array): Result<JsonObject, string> {
  try {
    return ok(new Parser(decodeUtf8(bytes)).document())
  } catch (error) {
    if (error instanceof JsonFault) return fail(error.message)
    throw error
  }
}

/** Ends the recursion. It is always caught in this file. */
class JsonFault extends Error {}

/** Keeps a byte order mark, which the parser then refuses. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw new JsonFault("is not UTF-8")
  }
}

const NOT_JSON = "is not JSON"
const SPACE = 0x20
/** Space, tab, line feed, carriage return. */
const WHITE_SPACE = new Set([SPACE, 0x09, 0x0a, 0x0d])
const QUOTE = 0x22
const BACKSLASH = 0x5c
const FIRST_PRINTABLE = 0x20
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const INTEGER = /^-?[0-9]+$/
const FOUR_HEX_DIGITS = /^[0-9A-Fa-f]{4}$/
const ESCAPES: ReadonlyMap<string, string> = new Map(
  Object.entries({ b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\", "/": "/" }),
)
const WORDS: ReadonlyArray<readonly [string, ClaimValue]> = [
  ["true", true],
  ["false", false],
  ["null", null],
]

/** Recursive descent over one text; the depth limit bounds the recursion. */
class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): JsonObject {
    this.#skipWhiteSpace()
    if (this.#text[this.#at] !== "{") throw new JsonFault("is not a JSON object")
    const value = this.#object(1)
    if (this.#at < this.#text.length) throw new JsonFault(NOT_JSON)
    return value
  }

  #value(depth: number): ClaimValue {
    const first = this.#text[this.#at]
    if (first === '"') return this.#string()
    if (first === "{") return this.#object(depth + 1)
    if (first === "[") return this.#array(depth + 1)
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length
        this.#skipWhiteSpace()
        return value
      }
    }
    return this.#number()
  }

  #object(depth: number): JsonObject {
    const members: Record<string, ClaimValue> = Object.create(null)
    this.#open(depth)
    if (this.#takes("}")) return members
    do {
      const key = this.#string()
      if (key in members) throw new JsonFault("has the same key twice")
      this.#expect(":")
      members[key] = this.#value(depth)
    } while (this.#takes(","))
    this.#expect("}")
    return members
  }

  #array(depth: number): ClaimValue[] {
    const elements: ClaimValue[] = []
    this.#open(depth)
    if (this.#takes("]")) return elements
    do elements.push(this.#value(depth))
    while (this.#takes(","))
    this.#expect("]")
    return elements
  }

  #open(depth: number): void {
    if (depth > MAX_JSON_DEPTH) throw new JsonFault(`nests deeper than ${MAX_JSON_DEPTH} levels`)
    this.#at += 1
    this.#skipWhiteSpace()
  }

  #string(): string {
    if (this.#text[this.#at] !== '"') throw new JsonFault(NOT_JSON)
    let start = this.#at + 1
    let value = ""
    for (let at = start; ; at += 1) {
      const code = this.#text.charCodeAt(at)
      if (code === QUOTE) {
        value += this.#text.slice(start, at)
        this.#at = at + 1
        this.#skipWhiteSpace()
        if (!value.isWellFormed()) throw new JsonFault("has a lone surrogate in a string")
        return value
      }
      if (code === BACKSLASH) {
        const [character, length] = this.#escape(at + 1)
        value += this.#text.slice(start, at) + character
        at += length
        start = at + 1
      } else if (!(code >= FIRST_PRINTABLE)) {
        throw new JsonFault(NOT_JSON) // a control character, or NaN: the text has ended
      }
    }
  }

  /** The character of an escape sequence, and the sequence's length after the backslash. */
  #escape(at: number): readonly [string, number] {
    const kind = this.#text[at] ?? ""
    const hex = this.#text.slice(at + 1, at + 5)
    if (kind === "u" && FOUR_HEX_DIGITS.test(hex)) return [String.fromCharCode(Number.parseInt(hex, 16)), 5]
    const character = ESCAPES.get(kind)
    if (character === undefined) throw new JsonFault(NOT_JSON)
    return [character, 1]
  }

  #number(): number {
    NUMBER.lastIndex = this.#at
    const literal = NUMBER.exec(this.#text)?.[0]
    if (literal === undefined) throw new JsonFault(NOT_JSON)
    this.#at += literal.length
    this.#skipWhiteSpace()
    const value = Number(literal)
    const exact = INTEGER.test(literal)
      ? Number.isSafeInteger(value)
      : Number.isFinite(value) && !Number.isInteger(value)
    if (!exact) throw new JsonFault("has a number that a double cannot hold exactly")
    return value
  }

  #expect(mark: string): void {
    if (!this.#takes(mark)) throw new JsonFault(NOT_JSON)
  }

  /** Consumes a mark and the white space after it, if the mark comes next. */
  #takes(mark: string): boolean {
    if (this.#text[this.#at] !== mark) return false
    this.#at += 1
    this.#skipWhiteSpace()
    return true
  }

  #skipWhiteSpace(): void {
    for (let code = this.#text.charCodeAt(this.#at); code <= SPACE; code = this.#text.charCodeAt(this.#at)) {
      if (!WHITE_SPACE.has(code)) return
      this.#at += 1
    }
  }
}

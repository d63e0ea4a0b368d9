import { CST, Lexer } from "yaml"
import { fail, ok, type Result } from "../result.ts"
import { type FaultCode, FILE_START, fault, type Position } from "./faults.ts"
import type { PolicyFault } from "./model.ts"

/** A policy file is at most this long. */
export const MAX_FILE_BYTES = 64 * 1024

/** Brackets inside brackets: far more than a policy needs, far fewer than a parser's stack can hold. */
const MAX_FLOW_DEPTH = 32
/** Indentation in columns: every level of block nesting costs at least one. */
const MAX_INDENT_COLUMNS = 128
/** `- - - a` nests one level per dash on a single line. */
const MAX_INDICATORS_PER_LINE = 8

/**
 * Format characters (`\p{Cf}`: bidirectional marks, joiners, tags), variation selectors, and letters that render as
 * nothing.
 */
const INVISIBLE =
  /\p{Cf}|\u034f|[\u115f\u1160\u3164\uffa0]|[\u17b4\u17b5]|[\u180b-\u180f]|[\ufe00-\ufe0f]|[\u{e0000}-\u{e0fff}]/u

/**
 * Characters that a policy must not contain, each with its message. Line feeds, and carriage returns before them, are
 * allowed.
 */
const FORBIDDEN: readonly { readonly characters: RegExp; readonly message: string }[] = [
  { characters: /\t/, message: "There is a tab: indent with spaces." },
  { characters: /\ufeff/, message: "There is a byte order mark: save the file as UTF-8 without one." },
  { characters: /[^\P{Cc}\t\n\r]|[\u2028\u2029]/u, message: "There is a control character: remove it." },
  {
    characters: /\r(?!\n)/,
    message: "There is a carriage return without a line feed: end lines with a line feed.",
  },
  // With them, a reviewer sees another policy than the parser: CVE-2021-42574, "Trojan Source".
  { characters: INVISIBLE, message: "There is an invisible character: remove it." },
  {
    characters: /(?! )\p{Zs}/u,
    message: "Replace this Unicode space with an ordinary one: a pattern that contains it matches nothing.",
  },
]

/** Maps offsets in a text to lines and columns. */
export class Positions {
  readonly #starts: number[] = [0]

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1)
  }

  at(offset: number): Position {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (this.#starts[low] ?? 0) + 1 }
  }
}

/** Decodes a file's bytes strictly: at most 64 KiB of UTF-8, without invisible characters. */
export function decodeText(file: string, bytes: Uint8Array): Result<string, readonly PolicyFault[]> {
  const no = (at: Position, code: FaultCode, message: string) => fail([fault(file, at, code, message)])
  if (bytes.length > MAX_FILE_BYTES) {
    return no(FILE_START, "file_too_large", `The file is larger than ${MAX_FILE_BYTES} bytes, the limit: split it.`)
  }
  let text: string
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return no(undecodable(bytes), "not_utf8", "The file is not UTF-8: save it as UTF-8.")
  }
  for (const { characters, message } of FORBIDDEN) {
    const at = text.search(characters)
    if (at >= 0) return no(new Positions(text).at(at), "character_forbidden", message)
  }
  return ok(text)
}

/**
 * The position of the first byte that is not UTF-8, by binary search. A prefix is decoded as a stream, because it may end
 * inside a character.
 */
export function undecodable(bytes: Uint8Array): Position {
  const beginning = (length: number) =>
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length), { stream: true })
  let [good, bad] = [0, bytes.length]
  while (good < bad) {
    const middle = (good + bad + 1) >> 1
    try {
      beginning(middle)
      good = middle
    } catch {
      bad = middle - 1
    }
  }
  const text = beginning(good)
  return new Positions(text).at(text.length)
}

/**
 * The tokens of a text, in order, with their types as the parser sees them, and their offsets. The type is null for marks of
 * the lexer, which have no characters in the text.
 */
export function* typedTokens(text: string) {
  let offset = 0
  let inScalar = false
  for (const token of new Lexer().lex(text)) {
    const isMark = token === CST.DOCUMENT || token === CST.FLOW_END || token === CST.SCALAR
    // After the SCALAR mark comes a scalar, whatever it looks like.
    yield { token, offset, type: isMark ? null : inScalar ? "scalar" : CST.tokenType(token) }
    if (!isMark) offset += token.length
    inScalar = token === CST.SCALAR || (inScalar && isMark)
  }
}

/** Whether something stands before a document's start that is not a comment. */
export const isAfterContent = (text: string, offset: number): boolean =>
  text.slice(0, offset).replace(/#.*/g, "").trim() !== ""

/**
 * Cuts a text into tokens for the parser. Refuses, from the tokens alone, what a policy never needs and what is dangerous
 * for a YAML parser.
 *
 * The lexer is linear and keeps a state instead of a stack. The parser behind it recurses: 64 KiB of `[` end the whole Node
 * process, not only the call, when the stack overflows while V8 compiles a regular expression. So depth is bounded here,
 * before the parser runs; catching its exceptions would be too late.
 */
export function guardedTokens(
  file: string,
  text: string,
  positions: Positions,
): Result<readonly string[], PolicyFault> {
  const tokens: string[] = []
  let at = 0
  const open: string[] = []
  let indicators = 0
  let documents = 0
  const no = (code: FaultCode, message: string) => fail(fault(file, positions.at(at), code, message))
  const tooDeep = () => no("yaml_too_deep", "The nesting is too deep for a policy: flatten it.")

  for (const { token, type, offset } of typedTokens(text)) {
    tokens.push(token)
    at = offset
    switch (type) {
      case "alias":
        return no(
          "yaml_feature",
          "Aliases are not supported. If this is a value that starts with a star, write it in quotes.",
        )
      case "anchor":
        return no(
          "yaml_feature",
          "Anchors are not supported. If this is a value that starts with &, write it in quotes.",
        )
      case "tag":
        return no("yaml_feature", "Tags are not supported. If this is a value that starts with !, write it in quotes.")
      case "directive-line":
        return no(
          "yaml_feature",
          "Directives are not supported. If this is a value that starts with %, write it in quotes.",
        )
      case "explicit-key-ind":
        return no("yaml_feature", "Keys written with ? are not supported: write key: value.")
      case "doc-start":
        if (++documents > 1 || isAfterContent(text, offset)) {
          return no("yaml_feature", "A file holds one document: move the second one to a separate file.")
        }
        break
      case "flow-seq-start":
      case "flow-map-start":
        open.push(token === "[" ? "]" : "}")
        if (open.length > MAX_FLOW_DEPTH) return tooDeep()
        break
      case "flow-seq-end":
      case "flow-map-end":
        // The parser would continue, and make an error object for each of the thousands that may follow.
        if (open.pop() !== token)
          return no("yaml_syntax", `This ${token} has no matching opening bracket: check the brackets before it.`)
        break
      case "seq-item-ind":
      case "map-value-ind":
        if (open.length === 0 && ++indicators > MAX_INDICATORS_PER_LINE) return tooDeep()
        break
      case "newline":
        indicators = 0
        break
      case "space":
        if (token.length > MAX_INDENT_COLUMNS && !token.includes("\n")) return tooDeep()
        break
    }
  }
  return ok(tokens)
}

import { Composer, type CST, isMap, isScalar, isSeq, Parser, type YAMLError } from "yaml"
import { fail, ok, type Result } from "../result.ts"
import { type FaultCode, FILE_START, fault, type Position, quote } from "./faults.ts"
import type { PolicyFault } from "./model.ts"
import { decodeText, guardedTokens, Positions } from "./yaml-guard.ts"

/** Levels of nested maps and lists, including the document. A policy needs 5; providers add a few. */
const MAX_DEPTH = 16
/** One mistake can cause an error in every line after it. */
const MAX_SYNTAX_FAULTS = 5

/** A part of a document, with its position. */
export type YamlNode =
  | { readonly kind: "map"; readonly at: Position; readonly entries: ReadonlyMap<string, YamlEntry> }
  | { readonly kind: "list"; readonly at: Position; readonly items: readonly YamlNode[] }
  | { readonly kind: "scalar"; readonly at: Position; readonly value: YamlScalar; readonly source: string }

export interface YamlEntry {
  readonly at: Position
  readonly value: YamlNode
}

export type YamlScalar = string | number | boolean | null

/** A path into a document: keys of maps and indexes of lists. */
export type YamlPath = readonly PropertyKey[]

/** A document that follows every rule of the strict subset. */
export interface YamlDocument {
  readonly root: YamlNode
  /** The document as plain data; maps have no prototype. */
  readonly value: unknown
}

/**
 * Parses one file of the strict YAML 1.2 subset that policies are written in: one document, maps with unique text keys,
 * lists and scalars; no aliases, anchors, merge keys, tags or directives, no control characters, at most 64 KiB.
 *
 * Never throws. Its time is bounded by the size, for any bytes.
 */
export function parseYaml(file: string, bytes: Uint8Array): Result<YamlDocument, readonly PolicyFault[]> {
  const text = decodeText(file, bytes)
  if (!text.ok) return text
  const positions = new Positions(text.value)
  const tokens = guardedTokens(file, text.value, positions)
  if (!tokens.ok) return fail([tokens.fault])

  // Duplicate keys are found below in linear time. The library's own check compares each key with all earlier ones.
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    strict: true,
    uniqueKeys: false,
    prettyErrors: false,
  })
  const documents = [...composer.compose(structures(tokens.value), true, text.value.length)]
  const [document] = documents
  if (document === undefined) return fail([empty(file)])
  const broken = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])
  if (broken.length > 0) {
    return fail(broken.slice(0, MAX_SYNTAX_FAULTS).map((error) => syntaxFault(file, error, positions)))
  }
  if (documents.length > 1) {
    const second = positions.at(documents[1]?.range[0] ?? 0)
    return fail([
      fault(file, second, "yaml_feature", "A file holds one document: move the second one to a separate file."),
    ])
  }
  if (document.contents === null || isNothing(document.contents)) return fail([empty(file)])

  const reader = new Reader(file, positions)
  const root = reader.node(document.contents, 0, 1)
  return reader.faults.length > 0 ? fail(reader.faults) : ok({ root, value: toValue(root) })
}

/** Parses tokens with the library's parser. Its `parse` would tokenise the text again, which is a fifth of all work. */
export function* structures(tokens: readonly string[]): Generator<CST.Token, void> {
  const parser = new Parser()
  for (const token of tokens) yield* parser.next(token)
  yield* parser.end()
}

/** The node that a path leads to, or the last node of the path that exists. */
export function nodeAt(root: YamlNode, path: YamlPath): YamlNode {
  let node = root
  for (const step of path) {
    const next = node.kind === "map" ? node.entries.get(String(step))?.value : itemOf(node, step)
    if (next === undefined) return node
    node = next
  }
  return node
}

/** The position of the key at the end of a path; when the path ends in a list, the position of the value. */
export function keyPosition(root: YamlNode, path: YamlPath): Position {
  const parent = nodeAt(root, path.slice(0, -1))
  const entry = parent.kind === "map" ? parent.entries.get(String(path.at(-1))) : undefined
  return entry?.at ?? nodeAt(root, path).at
}

/** The value of a key; undefined when the node is not a map or has no such key. */
export function childOf(node: YamlNode, key: string): YamlNode | undefined {
  return node.kind === "map" ? node.entries.get(key)?.value : undefined
}

/** A list's items; empty for any other node. */
export function itemsOf(node: YamlNode | undefined): readonly YamlNode[] {
  return node?.kind === "list" ? node.items : []
}

/** A non-empty text; null for anything else. */
export function textOf(node: YamlNode | undefined): string | null {
  return node?.kind === "scalar" && typeof node.value === "string" && node.value !== "" ? node.value : null
}

function itemOf(node: YamlNode, step: PropertyKey): YamlNode | undefined {
  return node.kind === "list" && typeof step === "number" ? node.items[step] : undefined
}

function empty(file: string): PolicyFault {
  return fault(
    file,
    FILE_START,
    "file_empty",
    "The file is empty, which would match nothing: write a policy, or delete the file.",
  )
}

function isNothing(node: unknown): boolean {
  return isScalar(node) && node.value === null && (node.source ?? "") === ""
}

function syntaxFault(file: string, error: YAMLError, positions: Positions): PolicyFault {
  const say = error.message.startsWith("Missing closing") ? "a quotation mark is not closed" : error.message
  const message = `The YAML cannot be read: ${say.replace(/\s+/g, " ").replace(/\.$/, "")}.`
  return fault(file, positions.at(error.pos[0]), "yaml_syntax", message)
}

/** Turns the library's nodes into ours, and refuses everything outside the subset. */
class Reader {
  readonly faults: PolicyFault[] = []
  readonly #file: string
  readonly #positions: Positions

  constructor(file: string, positions: Positions) {
    this.#file = file
    this.#positions = positions
  }

  node(node: unknown, fallback: number, depth: number): YamlNode {
    const offset = offsetOf(node) ?? fallback
    const at = this.#positions.at(offset)
    if (depth > MAX_DEPTH) {
      this.#no(at, "yaml_too_deep", `Maps and lists may be nested at most ${MAX_DEPTH} levels deep: flatten this one.`)
    } else if (isMap(node)) {
      return { kind: "map", at, entries: this.#entries(node.items, offset, depth) }
    } else if (isSeq(node)) {
      return { kind: "list", at, items: node.items.map((item) => this.node(item, offset, depth + 1)) }
    } else if (isScalar(node)) {
      return { kind: "scalar", at, value: this.#scalar(node.value, at), source: node.source ?? "" }
    }
    return { kind: "scalar", at, value: null, source: "" }
  }

  #entries(
    items: readonly { key: unknown; value: unknown }[],
    fallback: number,
    depth: number,
  ): Map<string, YamlEntry> {
    const entries = new Map<string, YamlEntry>()
    for (const { key, value } of items) {
      const offset = offsetOf(key) ?? fallback
      const at = this.#positions.at(offset)
      const name = isScalar(key) ? this.#scalar(key.value, at) : null
      if (typeof name !== "string" || name === "") {
        const source = isScalar(key) ? (key.source ?? "") : ""
        const remedy = source === "" ? "" : `: write it in quotes: ${quote(source)}`
        this.#no(at, "key_not_text", `A key must be a non-empty text${remedy}.`)
      } else if (name === "<<") {
        this.#no(at, "yaml_feature", "Merge keys are not supported: write the keys out.")
      } else if (name === "__proto__") {
        // JavaScript libraries skip this key or set the prototype with it. A condition of that name would silently
        // disappear.
        this.#no(at, "key_not_text", "__proto__ is not allowed as a key: rename it.")
      } else if (entries.has(name)) {
        const first = entries.get(name)?.at.line
        this.#no(at, "key_duplicate", `The key ${quote(name)} is duplicated (first in line ${first}): keep one.`)
      } else {
        entries.set(name, { at, value: this.node(value, offset, depth + 1) })
      }
    }
    return entries
  }

  #scalar(value: unknown, at: Position): YamlScalar {
    if (typeof value === "string") {
      // Escapes in double quotes can produce characters that the file itself must not contain.
      if (/[^\P{Cc}\n]|\p{Cs}/u.test(value)) {
        this.#no(at, "character_forbidden", "An escape sequence here produces a control character: remove it.")
      }
      return value
    }
    return typeof value === "number" || typeof value === "boolean" ? value : null
  }

  #no(at: Position, code: FaultCode, message: string): void {
    this.faults.push(fault(this.#file, at, code, message))
  }
}

function offsetOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined
}

export function toValue(node: YamlNode): unknown {
  if (node.kind === "scalar") return node.value
  if (node.kind === "list") return node.items.map(toValue)
  const value: Record<string, unknown> = Object.create(null)
  for (const [key, entry] of node.entries) value[key] = toValue(entry.value)
  return value
}

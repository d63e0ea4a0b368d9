import { Composer, isMap, isScalar, isSeq } from "yaml"
import { FILE_START, type Position } from "../../core/policy/faults.ts"
import type { FileFault } from "../../core/policy/provider-schemas.ts"
import { structures, type YamlEntry, type YamlNode } from "../../core/policy/yaml.ts"
import { isAfterContent, type Positions, typedTokens } from "../../core/policy/yaml-guard.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import { unreadable } from "./fault.ts"

/** Levels of nested maps and lists. A locator reaches 16 of them; the others only have to be read for the MAC. */
const MAX_DEPTH = 64
/** Four columns a level, as sops indents. Every level of block nesting costs at least one. */
const MAX_INDENT_COLUMNS = 4 * MAX_DEPTH

/**
 * Reads the YAML or JSON that sops writes, which is other YAML than people write policies in.
 *
 * Comments and unencrypted values may contain any character, because no decision depends on them. The exceptions are
 * separators at which sops, with its YAML 1.1, ends a line: it would read another value than we. Explicit keys
 * (`? key`) are what sops makes of a long key. What sops never writes, or what would change the tree (merge keys, tags,
 * aliases, more documents), is refused, each with its own sentence. Never throws; its time is bounded by the size.
 */
export function readYaml(text: string, positions: Positions, isJson: boolean): Result<YamlNode, FileFault> {
  const separator = isJson ? -1 : text.search(/[\u0085\u2028\u2029]/)
  if (separator >= 0) return fail(unreadable(positions.at(separator), "separator"))
  const tokens = guardedTokens(text, positions)
  if (!tokens.ok) return tokens
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    strict: true,
    uniqueKeys: false,
    prettyErrors: false,
  })
  const [document, second] = [...composer.compose(structures(tokens.value), true, text.length)]
  if (document === undefined) return fail(unreadable(FILE_START, "empty"))
  const [broken] = [...document.errors, ...document.warnings]
  if (broken !== undefined) return fail(unreadable(positions.at(broken.pos[0]), "form"))
  if (second !== undefined) return fail(unreadable(positions.at(second.range[0]), "documents"))
  const reader = new Reader(positions, isJson)
  const root = reader.node(document.contents, 0, 1)
  return reader.fault === null ? ok(root) : fail(reader.fault)
}

/** Cuts a text into tokens. Depth is bounded here, before the library's parser and composer recurse. */
function guardedTokens(text: string, positions: Positions): Result<readonly string[], FileFault> {
  const tokens: string[] = []
  let at = 0
  let depth = 0
  let indicators = 0
  let documents = 0
  const no = (why: Parameters<typeof unreadable>[1]) => fail(unreadable(positions.at(at), why))
  for (const { token, type, offset } of typedTokens(text)) {
    tokens.push(token)
    at = offset
    switch (type) {
      case "alias":
      case "anchor":
        return no("alias")
      case "tag":
        return no(token === "!!merge" ? "merge" : "tag")
      case "directive-line":
        return no("directive")
      case "doc-start":
        if (++documents > 1 || isAfterContent(text, offset)) return no("documents")
        break
      case "flow-seq-start":
      case "flow-map-start":
        if (++depth > MAX_DEPTH) return no("depth")
        break
      case "flow-seq-end":
      case "flow-map-end":
        // The parser would make an error object for each of the thousands that may follow.
        if (--depth < 0) return no("form")
        break
      case "seq-item-ind":
      case "map-value-ind":
      case "explicit-key-ind":
        if (depth === 0 && ++indicators > MAX_DEPTH) return no("depth")
        break
      case "newline":
        indicators = 0
        break
      case "space":
        if (token.length > MAX_INDENT_COLUMNS && !token.includes("\n")) return no("depth")
        break
    }
  }
  return ok(tokens)
}

/** Turns the library's nodes into ours. Keeps the first fault. */
class Reader {
  fault: FileFault | null = null
  readonly #positions: Positions
  readonly #isJson: boolean

  constructor(positions: Positions, isJson: boolean) {
    this.#positions = positions
    this.#isJson = isJson
  }

  node(node: unknown, fallback: number, depth: number): YamlNode {
    const offset = offsetOf(node) ?? fallback
    const at = this.#positions.at(offset)
    if (depth > MAX_DEPTH) this.#no(at, "depth")
    else if (isMap(node)) return { kind: "map", at, entries: this.#entries(node.items, offset, depth) }
    else if (isSeq(node))
      return { kind: "list", at, items: node.items.map((item) => this.node(item, offset, depth + 1)) }
    else if (isScalar(node)) {
      const { value } = node
      const isKnown = typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      return { kind: "scalar", at, value: isKnown ? value : null, source: node.source ?? "" }
    }
    return { kind: "scalar", at, value: null, source: "" }
  }

  #entries(items: readonly { key: unknown; value: unknown }[], fallback: number, depth: number) {
    const entries = new Map<string, YamlEntry>()
    for (const { key, value } of items) {
      const offset = offsetOf(key) ?? fallback
      const at = this.#positions.at(offset)
      const name = isScalar(key) ? key.value : null
      if (typeof name !== "string") this.#no(at, "key")
      else if (name === "<<" && !this.#isJson) this.#no(at, "merge")
      else if (entries.has(name)) this.#no(at, "duplicate")
      else entries.set(name, { at, value: this.node(value, offset, depth + 1) })
    }
    return entries
  }

  #no(at: Position, why: Parameters<typeof unreadable>[1]): void {
    this.fault ??= unreadable(at, why)
  }
}

function offsetOf(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined
}

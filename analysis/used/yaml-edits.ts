import { isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap, type YAMLSeq } from "yaml"
import { type Edit, isRanged, Layout, type Ranged } from "./yaml-layout.ts"

/**
 * Edits a YAML text in place: all that is not removed keeps its spelling, order and comments. It knows the styles in which policies are
 * written, not all of YAML: load the result, and compare what it means, before it is used.
 */
export class YamlEdits {
  readonly #text: string
  readonly #layout: Layout
  readonly #edits: Edit[] = []
  readonly root: unknown

  constructor(text: string) {
    this.#text = text
    this.#layout = new Layout(text)
    this.root = parseDocument(text, { version: "1.2", schema: "core" }).contents
  }

  /** Returns the value of a key in a map, or of an item in a list; undefined when the node has no such key or item. */
  at(node: unknown, ...path: readonly (string | number)[]): unknown {
    let found: unknown = node
    for (const step of path) found = isMap(found) || isSeq(found) ? found.get(step, true) : undefined
    return found
  }

  /** The 1-based line of a key. */
  lineOf(map: unknown, key: string): number {
    const name = isMap(map) ? nodeOf(map.items[indexOf(map, key)]?.key) : null
    return this.#text.slice(0, name?.range[0] ?? 0).split("\n").length
  }

  /** Removes items of a list. */
  removeItems(list: unknown, indexes: readonly number[]): void {
    if (!isSeq(list)) return
    if (list.flow) this.#removeInFlow(list.items.map(nodeOf), indexes)
    for (const item of list.flow ? [] : indexes.map((index) => nodeOf(list.items[index]))) {
      if (item !== null) this.#removeLines(this.#layout.dashOf(item), item)
    }
  }

  /** Removes keys and their values. */
  removeKeys(map: unknown, keys: readonly string[]): void {
    if (!isMap(map)) return
    const indexes = keys.map((key) => indexOf(map, key)).filter((index) => index >= 0)
    if (map.flow) this.#removeInFlow(map.items.map(spanOfPair), indexes)
    for (const { key, value } of map.flow ? [] : indexes.flatMap((index) => map.items[index] ?? [])) {
      const name = nodeOf(key)
      if (name !== null) this.#removeLines(name.range[0], nodeOf(value) ?? name)
    }
  }

  /** Writes other texts in the place of a text, or of a text in a list. */
  replaceText(node: unknown, texts: readonly string[], list?: unknown): void {
    const found = nodeOf(node)
    if (!isScalar(node) || found === null) return
    const [start, end] = found.range
    const spelt = texts.map(spell)
    if (!isSeq(list)) this.#put(start, end, spelt.length === 1 ? (spelt[0] ?? "") : `[${spelt.join(", ")}]`)
    else if (list.flow) this.#put(start, end, spelt.join(", "))
    else {
      const dash = this.#layout.dashOf(found)
      this.#put(start, end, spelt.join(`\n${" ".repeat(this.#layout.column(dash))}- `))
    }
  }

  /** Adds a key with one text, or a list of texts, at the end of a map. */
  addKey(map: unknown, key: string, texts: readonly string[]): void {
    const spelt = texts.map(spell)
    this.#add(map, `${key}: ${spelt.length === 1 ? spelt[0] : `[${spelt.join(", ")}]`}`, "last")
  }

  /** Adds `when` with one condition behind the first key of a rule. */
  addWhen(rule: unknown, conditions: ReadonlyMap<string, readonly string[]>): void {
    const parts = [...conditions].map(([claim, texts]) => {
      const spelt = texts.map(spell)
      return `${claim}: ${spelt.length === 1 ? spelt[0] : `[${spelt.join(", ")}]`}`
    })
    this.#add(rule, `when: { ${parts.join(", ")} }`, "first")
  }

  /** The edits in their order. What stands inside a removed part is left out. */
  get edits(): readonly Edit[] {
    const sorted = this.#edits.toSorted((a, b) => a.start - b.start || b.end - a.end)
    const kept: Edit[] = []
    for (const edit of sorted) if (edit.start >= (kept.at(-1)?.end ?? 0)) kept.push(edit)
    return kept
  }

  #add(map: unknown, text: string, where: "first" | "last"): void {
    if (!isMap(map)) return
    const [first] = map.items
    const pair = where === "first" ? first : map.items.at(-1)
    const key = nodeOf(first?.key)
    if (pair === undefined || key === null) return
    const end = this.#layout.endOf(nodeOf(pair.value) ?? key)
    if (map.flow) this.#put(end, end, `, ${text}`)
    else {
      const line = this.#layout.lineEnd(end)
      this.#put(line, line, `${" ".repeat(this.#layout.column(key.range[0]))}${text}\n`)
    }
  }

  /** Of what stands in brackets, the comma goes with it. */
  #removeInFlow(spans: readonly (Spanned | null)[], indexes: readonly number[]): void {
    const gone = new Set(indexes)
    for (const index of gone) {
      // A row of removed items is one edit.
      if (gone.has(index - 1)) continue
      let last = index
      while (gone.has(last + 1)) last += 1
      const [before, first, end, after] = [spans[index - 1], spans[index], spans[last], spans[last + 1]]
      if (!first || !end) continue
      if (after) this.#put(first.range[0], after.range[0], "")
      else this.#put(before?.range[1] ?? first.range[0], end.range[1], "")
    }
  }

  /** Whole lines, from the one with `start` to the last one of the node. */
  #removeLines(start: number, last: Ranged): void {
    const from = this.#layout.lineStart(start)
    this.#put(from, this.#layout.lineEnd(this.#layout.endOf(last)), "")
  }

  #put(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text })
  }
}

/** The text after the edits, which are in order and do not overlap. */
export function applied(text: string, edits: readonly Edit[]): string {
  let [done, from] = ["", 0]
  for (const { start, end, text: put } of edits) {
    done += text.slice(from, start) + put
    from = end
  }
  return done + text.slice(from)
}

/** A node that is not an alias: what an alias stands for has its place elsewhere. */
const nodeOf = (node: unknown): Ranged | null =>
  (isMap(node) || isSeq(node) || isScalar(node)) && isRanged(node) ? node : null

type Spanned = { readonly range: Ranged["range"] | readonly [number, number] }

const indexOf = (map: YAMLMap, key: string): number =>
  map.items.findIndex((pair) => (isScalar(pair.key) ? pair.key.value : pair.key) === key)

function spanOfPair({ key, value }: Pair): Spanned | null {
  const [first, last] = [nodeOf(key), nodeOf(value)]
  return first && { range: [first.range[0], (last ?? first).range[1]] }
}

export const itemsOf = (list: unknown): YAMLSeq["items"] => (isSeq(list) ? list.items : [])

/** A text as YAML: plain where every reader takes it for a text, also in brackets, and in quotes otherwise. */
export function spell(text: string): string {
  const isPlain = /^[A-Za-z][A-Za-z0-9_./@-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
  return isPlain ? text : JSON.stringify(text)
}

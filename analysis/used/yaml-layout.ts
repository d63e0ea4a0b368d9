import { isMap, isSeq, type Node, type Pair } from "yaml"

/** A replaced part of a text: offsets in UTF-16 code units, `end` exclusive. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Positions in a text of YAML, for edits that keep its layout. Offsets in UTF-16 code units. */
export class Layout {
  readonly #text: string
  /** The line ending of the file's first line. */
  readonly eol: string

  constructor(text: string) {
    this.#text = text
    this.eol = /^[^\n]*\r\n/.test(text) ? "\r\n" : "\n"
  }

  lineStart(offset: number): number {
    return this.#text.lastIndexOf("\n", offset - 1) + 1
  }

  /** Behind the line feed of the line with this offset. */
  lineEnd(offset: number): number {
    const feed = this.#text.indexOf("\n", offset)
    return feed === -1 ? this.#text.length : feed + 1
  }

  column(offset: number): number {
    return offset - this.lineStart(offset)
  }

  /** Where the item of a block list begins: its dash. */
  dashOf(item: Ranged): number {
    return this.#text.lastIndexOf("-", item.range[0] - 1)
  }

  /** The start of the line, or of the comment lines directly above it, which belong to it. */
  startWithComments(offset: number): number {
    let start = this.lineStart(offset)
    while (start > 0) {
      const above = this.lineStart(start - 1)
      if (!/^\s*#/.test(this.#text.slice(above, start))) return start
      start = above
    }
    return start
  }

  /** Whether the line above is empty: the author sets things apart. */
  isApart(lineStart: number): boolean {
    return lineStart > 0 && this.#text.slice(this.lineStart(lineStart - 1), lineStart).trim() === ""
  }

  /** Where a node's own text ends, in its last line: the range of a block, and of a text of several lines, goes on to what follows. */
  endOf(node: Ranged): number {
    if ((isMap(node) || isSeq(node)) && !node.flow) {
      const last = node.items.at(-1) as Pair | Node | undefined
      const inner = isMap(node) ? ((last as Pair | undefined)?.value ?? (last as Pair | undefined)?.key) : last
      if (isRanged(inner)) return this.endOf(inner)
    }
    let [, end] = node.range
    while (end > node.range[0] && /[\r\n]/.test(this.#text[end - 1] ?? "")) end--
    return end
  }

  /** Lines to put before an offset at a line's start. The file's line endings are kept. */
  insertion(at: number, lines: readonly string[]): Edit {
    return { start: at, end: at, text: lines.map((line) => line + this.eol).join("") }
  }
}

export type Ranged = Node & { readonly range: readonly [number, number, number] }

/** Whether a node has its place in the text. */
export const isRanged = (node: unknown): node is Ranged =>
  typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range)

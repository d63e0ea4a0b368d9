import { applied } from "./yaml-edits.ts"
import type { Edit } from "./yaml-layout.ts"

/** Lines around a change by which `git apply` finds its place. */
const CONTEXT = 3

/** One file of a patch. `after` null: the file goes. */
export interface FilePatch {
  /** From the folder in which the patch is applied, with forward slashes. */
  readonly path: string
  readonly before: string
  readonly edits: readonly Edit[] | null
}

/** A unified diff that `git apply` and `patch -p1` take. */
export function unifiedDiff(files: readonly FilePatch[]): string {
  return files.map(ofFile).join("")
}

function ofFile({ path, before, edits }: FilePatch): string {
  const [old, next] = [spellPath(`a/${path}`), spellPath(`b/${path}`)]
  const lines = linesIn(before)
  if (edits === null) {
    const head = `diff --git ${old} ${next}\ndeleted file mode 100644\n--- ${old}\n+++ /dev/null\n`
    return `${head}@@ -1,${lines.length} +0,0 @@\n${lines.map((line) => marked("-", line)).join("")}`
  }
  const hunks = hunksOf(before, lines, edits)
  return hunks.length === 0 ? "" : `diff --git ${old} ${next}\n--- ${old}\n+++ ${next}\n${hunks.join("")}`
}

/** Lines `from` to `to` (0-based, `to` exclusive) and what takes their place. */
interface Block {
  readonly from: number
  readonly to: number
  readonly next: readonly string[]
}

function hunksOf(before: string, lines: readonly string[], edits: readonly Edit[]): readonly string[] {
  const blocks = blocksOf(before, lines, edits)
  const groups: Block[][] = []
  for (const block of blocks) {
    const last = groups.at(-1)
    if (last && block.from - (last.at(-1)?.to ?? 0) <= 2 * CONTEXT) last.push(block)
    else groups.push([block])
  }
  let shift = 0
  return groups.map((group) => {
    const [from, to] = [
      Math.max(0, (group[0]?.from ?? 0) - CONTEXT),
      Math.min(lines.length, (group.at(-1)?.to ?? 0) + CONTEXT),
    ]
    const body: string[] = []
    let at = from
    for (const block of group) {
      body.push(...lines.slice(at, block.from).map((line) => marked(" ", line)))
      body.push(...lines.slice(block.from, block.to).map((line) => marked("-", line)))
      body.push(...block.next.map((line) => marked("+", line)))
      at = block.to
    }
    body.push(...lines.slice(at, to).map((line) => marked(" ", line)))
    const grown = group.reduce((sum, block) => sum + block.next.length - (block.to - block.from), 0)
    const [was, is] = [to - from, to - from + grown]
    const start = (count: number, offset: number) => (count === 0 ? from + offset : from + offset + 1)
    const head = `@@ -${start(was, 0)},${was} +${start(is, shift)},${is} @@\n`
    shift += grown
    return head + body.join("")
  })
}

/** The changed lines. Edits of one line, or of neighbouring lines, are one block. */
function blocksOf(before: string, lines: readonly string[], edits: readonly Edit[]): readonly Block[] {
  const starts: number[] = []
  let offset = 0
  for (const line of lines) {
    starts.push(offset)
    offset += line.length
  }
  const lineAt = (at: number) => {
    const after = starts.findIndex((start) => start > at)
    return after === -1 ? lines.length - 1 : after - 1
  }
  const spans: { from: number; to: number; edits: Edit[] }[] = []
  for (const edit of edits) {
    const isInsert = edit.start === edit.end && starts.includes(edit.start)
    const isAtEnd = edit.start === before.length
    const from = isAtEnd ? lines.length : lineAt(edit.start)
    const to = isAtEnd ? lines.length : isInsert ? from : lineAt(Math.max(edit.start, edit.end - 1)) + 1
    const last = spans.at(-1)
    if (last && from < last.to) {
      last.to = Math.max(last.to, to)
      last.edits.push(edit)
    } else spans.push({ from, to, edits: [edit] })
  }
  return spans.map(({ from, to, edits: own }) => {
    const start = starts[from] ?? before.length
    const end = starts[to] ?? before.length
    const moved = own.map((edit) => ({ ...edit, start: edit.start - start, end: edit.end - start }))
    return { from, to, next: linesIn(applied(before.slice(start, end), moved)) }
  })
}

/** Lines with their line feeds. */
const linesIn = (text: string): readonly string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? []

const marked = (mark: string, line: string): string =>
  line.endsWith("\n") ? mark + line : `${mark}${line}\n\\ No newline at end of file\n`

/** As git writes names that are not plain. */
function spellPath(path: string): string {
  if (/^[\w./+@ -]+$/.test(path) && !path.includes(" ")) return path
  const bytes = [...new TextEncoder().encode(path)]
  const spelt = bytes.map((byte) => {
    const character = String.fromCharCode(byte)
    if (character === '"' || character === "\\") return `\\${character}`
    return byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, "0")}` : character
  })
  return `"${spelt.join("")}"`
}

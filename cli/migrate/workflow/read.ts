import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Scalar } from "yaml"
import { textOfUtf8 } from "../../../broker/core/utf8.ts"
import { isWhole, type Reference, referencesIn } from "./expressions.ts"

/** A file of a repository, by its path from the root with forward slashes. */
export interface RepositoryFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** Keys and list positions from the root of a file to a value. */
export type Way = readonly (string | number)[]

/** One reference to a context, and where it stands. */
export interface Use {
  /** As written; null when all of the context is meant, or a computed name. */
  readonly name: string | null
  readonly way: Way
  /** 1-based. */
  readonly line: number
  /** Whether the value is this reference alone. */
  readonly whole: boolean
}

/** A workflow, or an action of the repository. */
export interface WorkflowFile {
  readonly path: string
  readonly text: string
  readonly document: Document
  /** Anchors or aliases: one edit would change several places. */
  readonly hasAnchors: boolean
  /** 1-based. */
  lineAt(offset: number): number
}

/** GitHub runs no workflow that is larger. */
const MAX_BYTES = 1024 * 1024
const MAX_NODES = 200_000
const MAX_DEPTH = 64
/** Below aliases, which make a small text endless. */
const MAX_FOLLOWED = 5_000

/** Reads a workflow. A text says why it cannot be read: the end of a sentence that begins with the file. */
export function readWorkflow({ path, bytes }: RepositoryFile): WorkflowFile | string {
  if (bytes.byteLength > MAX_BYTES) return "is larger than 1 MiB, so it was not read"
  // The path stands in a comment of the policy, which a line break would end.
  if (/\p{Cc}/u.test(path)) return "has control characters in its name, so it was not read: rename it"
  const text = textOfUtf8(bytes)
  if (text === null) return "is not UTF-8: save it as UTF-8"
  if (text.trim() === "") return "is empty"
  const lines = new LineCounter()
  const document = parseDocument(text, { version: "1.2", schema: "core", lineCounter: lines, prettyErrors: false })
  const [fault] = document.errors
  const lineAt = (offset: number) => lines.linePos(offset).line
  if (fault !== undefined) {
    const tab = fault.code === "TAB_AS_INDENT" ? ": a tab cannot indent. Use spaces" : ""
    return `is not YAML at line ${lineAt(fault.pos[0])}${tab}`
  }
  if (!isMap(document.contents)) return "is not a map of keys, so it is no workflow"
  const hasAnchors = /(?:^|[\s[{,:-])[&*][A-Za-z0-9_]/m.test(text) && anchorsIn(document)
  return { path, text, document, hasAnchors, lineAt }
}

function anchorsIn(document: Document): boolean {
  let found = false
  walk(document, (node, _way, wasAlias) => {
    found ||= wasAlias || ("anchor" in node && typeof node.anchor === "string")
  })
  return found
}

/** Every use of a context in a file, in its order. */
export function usesOf(file: WorkflowFile, context: string): readonly Use[] {
  const uses: Use[] = []
  const isComplete = walk(file.document, (node, way) => {
    if (!isScalar(node) || typeof node.value !== "string") return
    const text = node.value
    for (const reference of referencesIn(text, context, way.at(-1) === "if"))
      uses.push({
        name: reference.name,
        way,
        line: file.lineAt(node.range?.[0] ?? 0) + lineWithin(node, text, reference),
        whole: isWhole(text, reference),
      })
  })
  // What was not seen may use any of them: then no secret may be deleted.
  if (!isComplete) uses.push({ name: null, way: [], line: 1, whole: false })
  return uses
}

/** How many lines below the start of a block text a reference is. In other styles, a text rarely has several lines. */
function lineWithin({ type }: Scalar, text: string, { start }: Reference): number {
  if (type !== "BLOCK_LITERAL") return 0
  return text.slice(0, start).split("\n").length
}

type Visit = (node: object, way: Way, wasAlias: boolean) => void

/** Every node with the way to it. Aliases are followed, up to a limit. Says whether that was all. */
function walk(document: Document, visit: Visit): boolean {
  let left = MAX_NODES
  let followed = MAX_FOLLOWED
  let isComplete = true
  const step = (node: unknown, way: Way, wasAlias: boolean) => {
    if (typeof node !== "object" || node === null) return
    left -= 1
    if (wasAlias) followed -= 1
    if (left < 0 || followed < 0 || way.length > MAX_DEPTH) {
      isComplete = false
      return
    }
    if (isAlias(node)) return step(node.resolve(document), way, true)
    visit(node, way, wasAlias)
    if (isMap(node)) {
      for (const { key, value } of node.items) step(value, [...way, isScalar(key) ? String(key.value) : "?"], wasAlias)
    } else if (isSeq(node)) for (const [index, item] of node.items.entries()) step(item, [...way, index], wasAlias)
  }
  step(document.contents, [], false)
  return isComplete
}

/** The value at a way: a plain text or number as text; undefined for anything else. Aliases are followed. */
export function textAt({ document }: WorkflowFile, ...way: Way): string | undefined {
  const node = nodeAt(document, way)
  if (!isScalar(node) || node.value === null || typeof node.value === "object") return undefined
  return String(node.value)
}

/** The node at a way. */
export function nodeAt(document: Document, way: Way): unknown {
  let node: unknown = document.contents
  for (const step of way) {
    if (isAlias(node)) node = node.resolve(document)
    node = isMap(node) || isSeq(node) ? node.get(step, true) : undefined
  }
  return isAlias(node) ? node.resolve(document) : node
}

/** The keys of the map at a way. */
export function keysAt({ document }: WorkflowFile, ...way: Way): readonly string[] {
  const node = nodeAt(document, way)
  return isMap(node) ? node.items.flatMap(({ key }) => (isScalar(key) ? [String(key.value)] : [])) : []
}

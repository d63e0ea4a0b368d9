import { ok } from "../result.ts"
import {
  type parseYaml as Parse,
  parseYaml,
  toValue,
  type YamlDocument,
  type YamlEntry,
  type YamlNode,
} from "./yaml.ts"
import { decodeText } from "./yaml-guard.ts"
import { HASH, SPACE, YamlLines } from "./yaml-lines.ts"

/**
 * Parses one file with the same result as `parseYaml`, and many times faster when it has the usual form of a policy: maps and
 * lists by indentation, maps and lists in brackets on one line, and texts, whole numbers and booleans on one line.
 *
 * Everything else is left to `parseYaml`, faults included: this reader finds none. It can only recognise less than the
 * library does. A test compares the two on texts that differ from policies by a few characters.
 */
export const parseUsualYaml: typeof Parse = (file, bytes) => {
  const text = decodeText(file, bytes)
  if (!text.ok) return text
  const document = readUsualYaml(text.value)
  return document === null ? parseYaml(file, bytes) : ok(document)
}

/** The document of a decoded text; null unless all of it has the usual form. Its time is linear in the size. */
export function readUsualYaml(text: string): YamlDocument | null {
  if (text.includes(WIDE) || text.includes("\r")) return null
  const lines = new YamlLines(text)
  if (lines.indent !== 0) return null
  const root = readMap(lines, 1)
  return root === null || !lines.isOver() ? null : { root, value: toValue(root) }
}

/** Levels of nesting. Fewer than `parseYaml` allows. */
const MAX_DEPTH = 10
/** More spaces than this side by side may be too many for `parseYaml`. */
const WIDE = " ".repeat(65)
/** The library refuses a key in its block beyond 1,024, with its quotes. */
const MAX_KEY_CHARACTERS = 1_000
/** A key that the core schema reads as a text, whatever follows. */
const KEY = /[A-Za-z_][A-Za-z0-9_./-]*(?=:(?:[ \n]|$))/y
const DOUBLE_QUOTED = /"[^"\\\n]*"/y
const SINGLE_QUOTED = /'[^'\n]*'/y
const QUOTED_KEY = /(?:"[^"\\\n]+"|'[^'\n]+')(?=:(?:[ \n]|$))/y
/** A text without quotes up to the end of its line: a colon before a space, or a # after one, ends it. */
const LINE_OF_WORDS = /[A-Za-z_/](?:[^ \n:]|:(?=[^ \n])| +(?=[^ \n#]))*/y
/** The same between brackets, where most signs may have a meaning. */
const WORDS = /[A-Za-z_/](?:[A-Za-z0-9_./@+*=()%$'#-]|:(?=[A-Za-z0-9_/*:])| (?=[A-Za-z0-9_./@+*=()%$'-]))*/y
/** What begins with a digit is one of these, or left to the library: `1e3` is a number, and `0x10` another. */
const NUMBER = /(?:0|[1-9][0-9]{0,14})(?=[ ,\]}\n]|$)/y
const TEXT_OF_DIGITS =
  /(?:[0-9]+[A-DF-NP-WYZa-df-np-wyz][A-Za-z0-9_-]*|[0-9][0-9a-f]{7}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\/[A-Za-z0-9_./#-]*)?)(?=[ ,\]}\n]|$)/y

const RESERVED = new Set(["null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE", "__proto__"])

const [DASH, COMMA, COLON] = [0x2d, 0x2c, 0x3a]
const [LEFT_BRACKET, RIGHT_BRACKET, LEFT_BRACE, RIGHT_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d]

/** A map whose keys stand at the column where the reader is. */
function readMap(lines: YamlLines, depth: number): YamlNode | null {
  const { indent } = lines
  const at = lines.position()
  const entries = new Map<string, YamlEntry>()
  while (lines.indent === indent) {
    if (!readEntry(lines, entries, () => readBlock(lines, indent, depth + 1))) return null
  }
  return lines.indent > indent ? null : { kind: "map", at, entries }
}

/** Reads a key, its colon and its value into a map. False for what is unusual, such as the second of two equal keys. */
function readEntry(lines: YamlLines, entries: Map<string, YamlEntry>, readValue: () => YamlNode | null): boolean {
  const at = lines.position()
  const key = lines.take(KEY) ?? lines.take(QUOTED_KEY)?.slice(1, -1)
  if (key === undefined || key.length > MAX_KEY_CHARACTERS || RESERVED.has(key) || key === "<<" || entries.has(key))
    return false
  lines.at += 1
  lines.skipSpaces()
  const value = readValue()
  if (value === null) return false
  entries.set(key, { at, value })
  return true
}

/** The value of a key at `indent`: in the same line, or a map or list in the lines below. */
function readBlock(lines: YamlLines, indent: number, depth: number): YamlNode | null {
  if (depth > MAX_DEPTH) return null
  // The key's colon is behind, so that a # here would follow a space.
  if (lines.code() !== HASH && !lines.isEnd()) return readLine(lines, depth)
  lines.next()
  if (lines.code() === DASH && lines.indent >= indent) return readList(lines, depth)
  return lines.indent > indent ? readMap(lines, depth) : null
}

/** The items whose dashes stand at the column where the reader is. */
function readList(lines: YamlLines, depth: number): YamlNode | null {
  const { indent } = lines
  const at = lines.position()
  const items: YamlNode[] = []
  while (lines.indent === indent && lines.code() === DASH) {
    if (lines.text.charCodeAt(lines.at + 1) !== SPACE) return null
    lines.enterItem()
    const item = isKeyNext(lines) ? readMap(lines, depth + 1) : readLine(lines, depth + 1)
    if (item === null) return null
    items.push(item)
  }
  return lines.indent > indent ? null : { kind: "list", at, items }
}

function isKeyNext(lines: YamlLines): boolean {
  const { at } = lines
  const isKey = lines.take(KEY) !== null || lines.take(QUOTED_KEY) !== null
  lines.at = at
  return isKey
}

/** A value that fills the rest of the line. */
function readLine(lines: YamlLines, depth: number): YamlNode | null {
  const node = readInline(lines, depth, LINE_OF_WORDS)
  if (node === null || !lines.isEnd()) return null
  lines.next()
  return node
}

function readInline(lines: YamlLines, depth: number, words: RegExp): YamlNode | null {
  if (depth > MAX_DEPTH) return null
  const code = lines.code()
  if (code === LEFT_BRACE) return readBracedMap(lines, depth)
  if (code === LEFT_BRACKET) return readBracketedList(lines, depth)
  return readScalar(lines, words)
}

function readBracedMap(lines: YamlLines, depth: number): YamlNode | null {
  const at = lines.position()
  const entries = new Map<string, YamlEntry>()
  const isRead = readMembers(lines, RIGHT_BRACE, () =>
    readEntry(lines, entries, () => readInline(lines, depth + 1, WORDS)),
  )
  return isRead ? { kind: "map", at, entries } : null
}

function readBracketedList(lines: YamlLines, depth: number): YamlNode | null {
  const at = lines.position()
  const items: YamlNode[] = []
  const isRead = readMembers(lines, RIGHT_BRACKET, () => {
    const item = readInline(lines, depth + 1, WORDS)
    if (item !== null) items.push(item)
    return item !== null
  })
  return isRead ? { kind: "list", at, items } : null
}

/** Reads what stands between brackets, with commas between, none of them behind the last. */
function readMembers(lines: YamlLines, close: number, readMember: () => boolean): boolean {
  lines.at += 1
  lines.skipSpaces()
  if (lines.code() === close) {
    lines.at += 1
    return true
  }
  while (readMember()) {
    lines.skipSpaces()
    const code = lines.code()
    lines.at += 1
    if (code === close) return true
    if (code !== COMMA) return false
    lines.skipSpaces()
  }
  return false
}

function readScalar(lines: YamlLines, words: RegExp): YamlNode | null {
  const at = lines.position()
  const quoted = lines.take(DOUBLE_QUOTED) ?? lines.take(SINGLE_QUOTED)
  if (quoted !== null) {
    const value = quoted.slice(1, -1)
    return { kind: "scalar", at, value, source: value }
  }
  const number = lines.take(NUMBER)
  if (number !== null) return { kind: "scalar", at, value: Number(number), source: number }
  const source = lines.take(TEXT_OF_DIGITS) ?? lines.take(words)
  if (source === null || lines.code() === COLON) return null
  if (source === "true" || source === "false") return { kind: "scalar", at, value: source === "true", source }
  return RESERVED.has(source) ? null : { kind: "scalar", at, value: source, source }
}

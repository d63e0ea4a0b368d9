/**
 * How the runner of GitHub Actions hides secrets in a log: a port of what its documentation and its sources (actions/runner:
 * `AddMaskCommandExtension`, `SecretMasker`, `ValueEncoders`, and the list of encoders in `HostContext`) say. Written anew.
 */
export interface Masker {
  /** The command `::add-mask::`, after its escapes are undone: the whole text, and each of its lines. */
  addMask(text: string): void
  /** One line of the log, as it is shown. */
  mask(line: string): string
  /** How many texts it looks for in every line. */
  readonly size: number
}

export function runnerMasker(): Masker {
  const patterns = new Set<string>()
  const addValue = (value: string) => {
    if (value === "") return
    for (const pattern of [value, ...ENCODERS.map((encode) => encode(value))]) if (pattern !== "") patterns.add(pattern)
  }
  return {
    get size() {
      return patterns.size
    },
    addMask(text) {
      if (text.trim() === "") return
      addValue(text)
      for (const line of text.split(/[\r\n]+/)) addValue(line.trim())
    },
    mask: (line) => replaced(line, rangesOf(line, patterns)),
  }
}

interface Range {
  readonly start: number
  readonly end: number
}

/** Every place of every pattern, overlapping ones included. Places that overlap or touch become one. */
function rangesOf(line: string, patterns: Iterable<string>): readonly Range[] {
  const found: Range[] = []
  for (const pattern of patterns) {
    for (let at = line.indexOf(pattern); at !== -1; at = line.indexOf(pattern, at + 1))
      found.push({ start: at, end: at + pattern.length })
  }
  found.sort((a, b) => a.start - b.start)
  const merged: Range[] = []
  for (const range of found) {
    const last = merged.at(-1)
    if (last === undefined || range.start > last.end) merged.push(range)
    else merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) }
  }
  return merged
}

function replaced(line: string, ranges: readonly Range[]): string {
  let shown = ""
  let from = 0
  for (const { start, end } of ranges) {
    shown += `${line.slice(from, start)}***`
    from = end
  }
  return shown + line.slice(from)
}

const ENCODERS: readonly ((value: string) => string)[] = [
  base64,
  (value) => base64(value, 1),
  (value) => base64(value, 2),
  // A quotation mark in an argument of a command line.
  (value) => value.replaceAll('"', '\\"'),
  // A string of the expression language.
  (value) => value.replaceAll("'", "''"),
  (value) => JSON.stringify(value).slice(1, -1),
  // RFC 3986: everything but the unreserved characters.
  (value) =>
    encodeURIComponent(value.toWellFormed()).replace(
      /[!'()*]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    ),
  (value) => value.replace(/[<>"'&]/g, (character) => XML[character] ?? character),
  (value) => (value.length > 8 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : ""),
  (value) => atLeastSix(value.includes("&+") ? value.slice(0, value.indexOf("&+") + 2) : upToAmpersand(value)),
  (value) => atLeastSix(value.includes("&+") ? value.slice(value.indexOf("&+") + 3) : afterAmpersand(value)),
]

const XML: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "&": "&amp;" }

/** Without the first bytes, which stand in an earlier group of base64 when as many bytes lack there. */
function base64(value: string, without = 0): string {
  const bytes = Buffer.from(value, "utf8")
  return bytes.subarray(bytes.length > without ? without : 0).toString("base64")
}

/** PowerShell colours a command that failed, and breaks it at its ampersands. */
const upToAmpersand = (value: string) => value.slice(0, value.lastIndexOf("&") + 1)
const afterAmpersand = (value: string) => (value.includes("&") ? value.slice(value.lastIndexOf("&") + 1) : "")
const atLeastSix = (part: string) => (part.length >= 6 ? part : "")

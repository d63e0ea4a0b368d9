import { MAX_PATTERN_BYTES, MIN_PATTERN_BYTES } from "./fingerprints/keys.ts"
import { masksFor } from "./masks.ts"

/**
 * The texts that the leak sweep looks for, as bytes, the value itself first: what `masksFor` hides in the log, and the forms
 * that the runner derives by itself. `isBase64`: the value is a file of these bytes.
 *
 * Less than what is masked: a needless mask costs little, but a file that is found revokes credentials. So lines and JSON
 * leaves that are public by their form or their name are left out, and so is everything of fewer than eight bytes.
 */
export function patternsFor(value: string, isBase64 = false): readonly Buffer[] {
  const masks = masksFor(value)
  if (masks.length === 0) return []
  const open = publicPartsOf(value)
  const secret = open.length === 0 ? masks : withoutMasksOf(masks, open)
  const text = value.trim()
  const texts = [...(open.includes(text) ? [] : [text]), ...secret, ...runnersForms(text)]
  const bytes = [
    ...texts.map((each) => Buffer.from(each, "utf8")),
    // Windows PowerShell 5 writes a file so.
    Buffer.from(text, "utf16le"),
    ...(isBase64 ? [Buffer.from(value, "base64")] : []),
  ].map((each) => each.subarray(0, MAX_PATTERN_BYTES))
  const found = new Map(bytes.map((each) => [each.toString("latin1"), each]))
  return [...found.values()].filter(({ length }) => length >= MIN_PATTERN_BYTES)
}

function withoutMasksOf(masks: readonly string[], parts: readonly string[]): readonly string[] {
  const open = new Set(parts.flatMap((part) => [part, ...masksFor(part)]))
  return masks.filter((mask) => !open.has(mask))
}

/** JSON, URI and XML: the runner hides these without being told. */
function runnersForms(text: string): string[] {
  const xml = /[&<>"']/.test(text) ? text.replace(/[&<>"']/g, (character) => XML[character] ?? character) : text
  return [JSON.stringify(text).slice(1, -1), encodeURIComponent(text.toWellFormed()), xml]
}

const XML: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" }

/** Parts of a value with several lines or of a JSON document that other files contain as well. */
function publicPartsOf(value: string): readonly string[] {
  const text = value.trim()
  const lines = text.includes("\n") ? linesOf(text) : []
  const leaves = /^[[{]/.test(text) ? publicLeavesOf(text) : []
  return [...new Set([...lines.filter(isPublicLine), ...leaves])]
}

const linesOf = (text: string) => text.split(/[\r\n]+/).map((line) => line.trim())

function isPublicLine(line: string): boolean {
  // A line of a PEM file has 64 characters of base64; the last one can have fewer.
  return line.length < MIN_LINE_CHARACTERS || PEM_FRAME.test(line) || isPublicText(line)
}

const MIN_LINE_CHARACTERS = 16
const PEM_FRAME = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/

/** A URL without user and query, a mail address, a host's name, or words. */
function isPublicText(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^\s@?#]*$|^[\w.+-]+@[\w.-]+$|^(?:[a-z0-9-]+\.)+[a-z]{2,}$|^[a-z _.:-]+$/i.test(text)
}

/** Members that say where and as whom, beside the secret that proves it. */
const PUBLIC_MEMBER =
  /^(?:.*[_-]?(?:host|hostname|port|user|username|email|region|type|engine|version|id|name|path|scope|scopes)|database|db|account|server|endpoint|driver|protocol|schema|arn|universe_domain)$/i

/** Members that hold a secret whatever it looks like, a password of letters only for example. */
const SECRET_MEMBER = /pass|secret|token|credential|private|key$|^(?:private|secret|access)[_-]?key[_-]?id$/i

function isPublicMember(member: string, leaf: string): boolean {
  if (/(?:uri|url)$/i.test(member)) return isPublicText(leaf)
  if (SECRET_MEMBER.test(member)) return false
  return PUBLIC_MEMBER.test(member) || isPublicText(leaf)
}

function publicLeavesOf(text: string): readonly string[] {
  try {
    const open: string[] = []
    JSON.parse(text, (member: string, value: unknown) => {
      if (typeof value !== "string" && typeof value !== "number") return value
      const leaf = String(value)
      if (leaf.length < MIN_PATTERN_BYTES || isPublicMember(member, leaf)) open.push(leaf.trim())
      else if (leaf.includes("\n")) open.push(...linesOf(leaf).filter(isPublicLine))
      return value
    })
    return open
  } catch {
    return []
  }
}

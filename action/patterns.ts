import { MAX_PATTERN_BYTES, MIN_PATTERN_BYTES } from "./fingerprints/keys.ts"
import { encodings, isTooCommon, masksFor, runnersForms } from "./masks.ts"

/**
 * The texts that the leak sweep looks for, as bytes, the value itself first: what `masksFor` hides in the log, and the forms
 * that the runner derives by itself. `isBase64`: the value is a file of these bytes.
 *
 * Less than what is masked: a needless mask costs little, but a file that is found revokes credentials. So lines and JSON
 * leaves that are public by their form or their name are left out, and so is everything of fewer than eight bytes.
 */
export function patternsFor(value: string, isBase64 = false): readonly Buffer[] {
  const text = value.trim()
  if (isTooCommon(text) || Buffer.byteLength(text) < MIN_PATTERN_BYTES) return []
  const bytes = [
    ...textsOf(text).map((each) => Buffer.from(each, "utf8")),
    // Windows PowerShell 5 writes a file so.
    Buffer.from(text, "utf16le"),
    ...(isBase64 ? [Buffer.from(value, "base64")] : []),
  ].map((each) => each.subarray(0, MAX_PATTERN_BYTES))
  const found = new Map(bytes.map((each) => [each.toString("latin1"), each]))
  return [...found.values()].filter(({ length }) => length >= MIN_PATTERN_BYTES)
}

/** A text and its encodings; the same of the secret parts of a JSON document, or of a text with several lines. */
function textsOf(text: string): readonly string[] {
  const leaves = secretLeavesOf(text)
  if (leaves === null && !text.includes("\n")) return [text, ...masksFor(text), ...runnersForms(text)]
  const parts = leaves ?? secretLinesOf(text)
  const whole = [text, ...encodings(Buffer.from(text, "utf8")), ...runnersForms(text)]
  return [...whole, ...parts.flatMap((part) => (part === text ? [] : textsOf(part)))]
}

/** Lines of a text that is no JSON: of a PEM file, of properties, of YAML. Of a line `name: value`, only the value. */
function secretLinesOf(text: string): readonly string[] {
  const lines = text
    .replace(PUBLIC_PEM, "")
    .split(/[\r\n]+/)
    .map((line) => line.trim())
  return lines.flatMap((line) => {
    const [, member, value] = /^(?:- )?["']?([\w.-]+)["']?\s*[:=]\s*["']?([^=\s"'].*?)["']?,?$/.exec(line) ?? []
    if (member !== undefined && value !== undefined)
      return value.length < MIN_PATTERN_BYTES || isTooCommon(value) || isPublicMember(member, value) ? [] : [value]
    // A line of a PEM file has 64 characters of base64; the last one can have fewer.
    return line.length < MIN_LINE_CHARACTERS || PEM_FRAME.test(line) || isPublicText(line) ? [] : [line]
  })
}

const MIN_LINE_CHARACTERS = 16
const PEM_FRAME = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/
const PUBLIC_PEM = /-----BEGIN ([A-Z ]*CERTIFICATE|PUBLIC KEY)-----[^-]*-----END \1-----/g

/** A URL without user and query, a mail address, a host's name, or words. */
function isPublicText(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^\s@?#]*$|^[\w.+-]+@[\w.-]+$|^(?:[a-z0-9-]+\.)+[a-z]{2,}$|^[a-z _.:-]+$/i.test(text)
}

/** Members that say where and as whom, beside the secret that proves it. */
const PUBLIC_MEMBER =
  /^(?:.*[_-]?(?:host|hostname|port|user|username|email|region|type|engine|version|id|name|path|scope|scopes|namespace)|kind|cluster|context|current-context|database|db|account|server|endpoint|driver|protocol|schema|arn|universe_domain)$/i

/** Members that hold a secret whatever it looks like, a password of letters only for example. */
const SECRET_MEMBER = /pass|secret|token|credential|private|key$|^(?:private|secret|access)[_-]?key[_-]?id$/i

function isPublicMember(member: string, leaf: string): boolean {
  if (/(?:uri|url)$/i.test(member)) return isPublicText(leaf)
  if (/^public|certificate/i.test(member)) return true
  if (SECRET_MEMBER.test(member)) return false
  return PUBLIC_MEMBER.test(member) || isPublicText(leaf)
}

/** The leaves of a JSON object or array that are secret; null for another text. */
function secretLeavesOf(text: string): readonly string[] | null {
  if (!/^[[{]/.test(text)) return null
  try {
    const leaves: string[] = []
    JSON.parse(text, (member: string, value: unknown) => {
      const leaf = typeof value === "string" || typeof value === "number" ? String(value).trim() : ""
      if (leaf.length >= MIN_PATTERN_BYTES && !isTooCommon(leaf) && !isPublicMember(member, leaf)) leaves.push(leaf)
      return value
    })
    return leaves
  } catch {
    return null
  }
}

import { bytesToHex } from "@noble/hashes/utils.js"
import { fail, ok, type Result } from "../result.ts"
import { textOfUtf8 } from "../utf8.ts"
import { decodeBase64, encodeBase64 } from "./base64.ts"

/** A line of a signed note: who signed, with which key, and the signature's bytes. */
export interface NoteSignature {
  readonly name: string
  /** Four bytes, as 8 digits in hex. With the name, it tells the key. */
  readonly keyId: string
  readonly signature: Uint8Array
}

/** A signed note (c2sp.org/signed-note) whose signatures nobody has verified yet. */
export interface Note {
  /** With its last line feed; without the empty line that follows. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** The longest note that is read: room for a hundred signatures of ML-DSA-44. */
export const MAX_NOTE_BYTES = 512 * 1024
/** The format asks for 16 at least. Each costs its verifier time. */
const MAX_SIGNATURES = 100

const DASH = "\u2014 "

/** Parses a note of unknown origin. Never throws; the reason quotes nothing of the note. */
export function parseNote(bytes: Uint8Array): Result<Note, string> {
  if (bytes.length > MAX_NOTE_BYTES) return fail(`the note is longer than ${MAX_NOTE_BYTES} bytes`)
  const whole = textOfUtf8(bytes)
  if (whole === null) return fail("the note is not UTF-8")
  // A carriage return would let one text look like another.
  if (hasControls(whole)) return fail("the note contains a control character")
  // The last empty line: the text may have some of its own.
  const end = whole.lastIndexOf("\n\n")
  if (end === -1 || !whole.endsWith("\n")) return fail("the note has no signatures")
  const signatures = parseSignatures(whole.slice(end + 2))
  return signatures.ok ? ok({ text: whole.slice(0, end + 1), signatures: signatures.value }) : signatures
}

/** Parses signature lines, each ended by a line feed, as a note has them and a witness answers them. */
export function parseSignatures(lines: string): Result<readonly NoteSignature[], string> {
  if (!lines.endsWith("\n")) return fail("the last signature line has no end")
  const signatures: NoteSignature[] = []
  for (const line of lines.slice(0, -1).split("\n")) {
    const [name = "", base64 = "", ...others] = line.startsWith(DASH) ? line.slice(DASH.length).split(" ") : []
    const bytes = decodeBase64(base64)
    if (others.length > 0 || !isKeyName(name) || bytes === null || bytes.length < 5) {
      return fail("a signature line is malformed")
    }
    signatures.push({ name, keyId: bytesToHex(bytes.subarray(0, 4)), signature: bytes.slice(4) })
  }
  if (signatures.length > MAX_SIGNATURES) return fail(`the note has more than ${MAX_SIGNATURES} signatures`)
  return ok(signatures)
}

export const formatNote = ({ text, signatures }: Note): string => `${text}\n${signatures.map(formatSignature).join("")}`

export function formatSignature({ name, keyId, signature }: NoteSignature): string {
  const bytes = new Uint8Array(4 + signature.length)
  for (let at = 0; at < 4; at += 1) bytes[at] = Number.parseInt(keyId.slice(2 * at, 2 * at + 2), 16)
  bytes.set(signature, 4)
  return `${DASH}${name} ${encodeBase64(bytes)}\n`
}

/** Neither empty nor with a space of Unicode, a plus or a control character. */
export const isKeyName = (name: string): boolean => /^[^\s+\u0085]+$/u.test(name) && !hasControls(name)

const hasControls = (text: string): boolean => {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x20 && code !== 0x0a) return true
  }
  return false
}

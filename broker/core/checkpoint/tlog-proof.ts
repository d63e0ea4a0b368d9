import { fail, ok, type Result } from "../result.ts"
import { textOfUtf8 } from "../utf8.ts"
import { decodeBase64, decodeHash, encodeBase64, parseSize } from "./base64.ts"
import { parseCheckpoint, type SignedCheckpoint } from "./checkpoint.ts"
import { formatNote } from "./note.ts"
import type { Hash } from "./tree.ts"

/** Proves that a log contains an entry (c2sp.org/tlog-proof). Self-contained but for the entry and the keys to trust. */
export interface TlogProof {
  /** What the format leaves to the application. Nothing authenticates it by itself. Null: none. */
  readonly extra: Uint8Array | null
  readonly index: number
  readonly hashes: readonly Hash[]
  readonly checkpoint: SignedCheckpoint
}

export const TLOG_PROOF = "c2sp.org/tlog-proof@v1"

/** A tree of more leaves than a size can say. */
const MAX_HASHES = 63

export function formatTlogProof({ extra, index, hashes, checkpoint }: TlogProof): string {
  const extraLine = extra === null ? "" : `extra ${encodeBase64(extra)}\n`
  const proof = hashes.map((hash) => `${encodeBase64(hash)}\n`).join("")
  return `${TLOG_PROOF}\n${extraLine}index ${index}\n${proof}\n${formatNote(checkpoint.note)}`
}

/** Parses a proof of unknown origin. Verifies nothing. Never throws; the reason quotes nothing of it. */
export function parseTlogProof(bytes: Uint8Array): Result<TlogProof, string> {
  const text = textOfUtf8(bytes)
  const end = text?.indexOf("\n\n") ?? -1
  if (text === null || end === -1) return fail(NO_PROOF)
  const lines = text.slice(0, end).split("\n")
  if (lines.shift() !== TLOG_PROOF) return fail(NO_PROOF)
  let extra: Uint8Array | null = null
  if (lines[0]?.startsWith("extra ")) {
    extra = decodeBase64((lines.shift() ?? "").slice("extra ".length))
    if (extra === null) return fail("the proof's extra line is not base64")
  }
  const indexLine = lines.shift() ?? ""
  const index = indexLine.startsWith("index ") ? parseSize(indexLine.slice("index ".length)) : null
  if (index === null) return fail("the proof's index line is missing or malformed")
  const hashes = lines.map(decodeHash)
  if (hashes.length > MAX_HASHES || hashes.includes(null)) return fail("the proof has a line that is not a hash")
  const checkpoint = parseCheckpoint(new TextEncoder().encode(text.slice(end + 2)))
  if (!checkpoint.ok) return fail(`the proof's checkpoint cannot be read: ${checkpoint.fault}`)
  return ok({ extra, index, hashes: hashes as Hash[], checkpoint: checkpoint.value })
}

const NO_PROOF = `the file is no proof: it must begin with the line ${TLOG_PROOF}`

/** Divides a file of proofs, one after another, into the bytes of each. A file of one proof is such a file, too. */
export function splitTlogProofs(text: string): readonly string[] {
  const parts = text.split(new RegExp(`^(?=${TLOG_PROOF.replaceAll(".", "\\.")}$)`, "m"))
  return parts.filter((part) => part !== "")
}

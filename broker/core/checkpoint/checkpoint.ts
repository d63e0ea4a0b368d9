import { fail, ok, type Result } from "../result.ts"
import { decodeHash, encodeBase64, parseSize } from "./base64.ts"
import { type Note, parseNote } from "./note.ts"
import type { TreeHead } from "./proofs.ts"

/** What a log says of itself at one time (c2sp.org/tlog-checkpoint): its name, how many leaves it has, and their root. */
export interface Checkpoint extends TreeHead {
  readonly origin: string
}

/** A checkpoint with the note that carries it. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: Note
}

/** The text of a checkpoint, which its log and its witnesses sign. */
export const formatCheckpoint = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${encodeBase64(root)}\n`

/** Parses a checkpoint of unknown origin. Its signatures are not verified. Never throws; the reason quotes nothing of it. */
export function parseCheckpoint(bytes: Uint8Array): Result<SignedCheckpoint, string> {
  const note = parseNote(bytes)
  if (!note.ok) return note
  const [origin = "", sizeText = "", rootText = "", ...extensions] = note.value.text.slice(0, -1).split("\n")
  const size = parseSize(sizeText)
  const root = decodeHash(rootText)
  if (origin === "" || size === null || root === null || extensions.includes("")) {
    return fail("it is no checkpoint: its lines must be an origin, a size and a root")
  }
  return ok({ origin, size, root, note: note.value })
}

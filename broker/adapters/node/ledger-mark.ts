import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs"
import { join } from "node:path"
import * as z from "zod"

export const MARK_FILE = "ledger.mark"

const MARK = z.strictObject({
  generation: z.string().min(1).max(100),
  commits: z.int().nonnegative(),
  time: z.int().nonnegative(),
})

/**
 * How far the ledger has come, written outside of it. A ledger that is behind its mark was rolled back: it may not know
 * which tokens were used. `time`: Unix milliseconds, when the mark was written.
 */
export type LedgerMark = Readonly<z.infer<typeof MARK>>

/** The mark in `folder`. `none`: there is no such file, or it is not a mark. Throws when the file cannot be read. */
export function readLedgerMark(folder: string): LedgerMark | "none" {
  let text: string
  try {
    text = readFileSync(join(folder, MARK_FILE), "utf8")
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "none"
    throw error
  }
  try {
    return MARK.parse(JSON.parse(text))
  } catch {
    return "none"
  }
}

/**
 * Replaces the mark at once: after a crash at any moment, the file is the old mark or the new one. Only call it with
 * commits that are on disk, or a crash would make a good ledger look rolled back.
 */
export function writeLedgerMark(folder: string, mark: LedgerMark): void {
  const path = join(folder, MARK_FILE)
  const file = openSync(`${path}.new`, "w", 0o600)
  try {
    writeSync(file, `${JSON.stringify(mark)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
  // The rename itself is on disk only after the folder was flushed.
  const directory = openSync(folder, "r")
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

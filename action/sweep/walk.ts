import { existsSync, opendirSync } from "node:fs"
import { join } from "node:path"
import { type Budget, Unread, type UnreadReason } from "./budget.ts"
import { lookAt } from "./files.ts"

export interface WalkOptions {
  readonly budget: Budget
  /** Only files that were written or changed since then, in milliseconds since 1970; null for all. */
  readonly since: number | null
  /** Whether to go into a folder, by its path. */
  enters(path: string, name: string): boolean
  /** A folder that cannot be read, or a file that cannot be named. */
  unread(path: string, reason: UnreadReason): void
}

/** Some file systems store whole seconds, and FAT every second one. */
const CLOCK_TOLERANCE_MS = 2_000
/** Deeper folders are no checkout. */
const MAX_DEPTH = 100

/** The regular files below a folder. Never follows a link. @throws {Unread} `time` */
export function* filesBelow(folder: string, options: WalkOptions, depth = 0): Generator<string> {
  if (depth > MAX_DEPTH) return options.unread(folder, "nested")
  const folders: string[] = []
  for (const entry of entriesOf(folder, options)) {
    options.budget.check()
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (options.enters(path, entry.name)) folders.push(path)
    } else if (entry.isFile()) {
      if (isNameless(path, entry.name)) options.unread(path, "unreadable")
      else if (isRecent(path, options.since)) yield path
    }
  }
  for (const each of folders) yield* filesBelow(each, options, depth + 1)
}

function entriesOf(folder: string, { budget, unread }: WalkOptions) {
  const entries = []
  try {
    // Not `readdir`: a folder can have millions of entries, and the clock must be looked at between them.
    const directory = opendirSync(folder, { bufferSize: 256 })
    try {
      for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
        budget.check()
        entries.push(entry)
      }
    } finally {
      directory.closeSync()
    }
  } catch (thrown) {
    if (thrown instanceof Unread) throw thrown
    unread(folder, "unreadable")
  }
  return entries
}

/** A name that is no UTF-8 reads as another one, by which its file is not found. */
function isNameless(path: string, name: string): boolean {
  return name.includes("\ufffd") && !existsSync(path)
}

/** By both times: `touch` and `tar` set the first one as they like, and the system alone sets the second. */
function isRecent(path: string, since: number | null): boolean {
  if (since === null) return true
  try {
    const found = lookAt(path)
    return found !== undefined && Math.max(found.mtimeMs, found.ctimeMs) >= since - CLOCK_TOLERANCE_MS
  } catch {
    // The caller tries to open it, and says that it cannot.
    return true
  }
}

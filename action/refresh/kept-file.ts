import { randomUUID } from "node:crypto"
import { closeSync, constants, fstatSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs"

/** Windows has no such flags, and no links that a user without rights can plant. */
const NO_FOLLOW = constants.O_NOFOLLOW ?? 0
const NO_WAIT = constants.O_NONBLOCK ?? 0
const MAX_BYTES = 256 * 1024

/** The JSON of a regular file; undefined when it is absent, is a link, is too large, or holds something else. */
export function readKept(path: string): unknown {
  try {
    const file = openSync(path, constants.O_RDONLY | NO_FOLLOW | NO_WAIT)
    try {
      const stat = fstatSync(file)
      return stat.isFile() && stat.size <= MAX_BYTES ? JSON.parse(readFileSync(file, "utf8")) : undefined
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined
  }
}

/** Replaces a file as a whole: readers see the old text or the new one. A link at its place is replaced, and not followed. */
export function replaceKept(path: string, value: unknown): void {
  const aside = `${path}.${randomUUID()}`
  try {
    const file = openSync(aside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | NO_FOLLOW, 0o600)
    try {
      writeSync(file, JSON.stringify(value))
    } finally {
      closeSync(file)
    }
    renameSync(aside, path)
  } catch (thrown) {
    rmSync(aside, { force: true })
    throw thrown
  }
}

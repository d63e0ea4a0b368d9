import { randomUUID } from "node:crypto"
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs"

// Windows has neither flag, and no links that a user without a special right can make.
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants

/** Something other than a regular file is at a path: a folder, a pipe, a device. */
export class NotRegularError extends Error {
  override readonly name = "NotRegularError"
}

/** A regular file that is open for reading. */
export interface OpenFile {
  readonly descriptor: number
  /** In bytes. */
  readonly size: number
  /** When it was last written, in milliseconds since 1970. */
  readonly writtenAt: number
}

/**
 * Opens a regular file for reading. A link at its name is not followed, and a pipe is not waited for: another program of the
 * job can put both there.
 * @throws {NotRegularError}, and the system's errors
 */
export function openRegular(path: string): OpenFile {
  const descriptor = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const found = fstatSync(descriptor)
    if (!found.isFile()) throw new NotRegularError("not a regular file")
    return { descriptor, size: found.size, writtenAt: found.mtimeMs }
  } catch (thrown) {
    closeSync(descriptor)
    throw thrown
  }
}

/** The bytes of a regular file; null when it is missing, is larger than `maxBytes`, is a link, or cannot be read. Never throws. */
export function readRegular(path: string, maxBytes: number): Buffer | null {
  try {
    const { descriptor, size } = openRegular(path)
    try {
      return size <= maxBytes ? readFileSync(descriptor) : null
    } finally {
      closeSync(descriptor)
    }
  } catch {
    return null
  }
}

/** Writes a file that must not exist yet (`O_EXCL`, so no link is followed), for its owner alone unless `mode` says more. */
export function writeNew(path: string, bytes: Uint8Array | string, mode = 0o600): void {
  const descriptor = openSync(path, "wx", 0o600)
  try {
    writeFileSync(descriptor, bytes)
    // The mode of an open file is not subject to the process's umask, and belongs to no other file that stands there by now.
    fchmodSync(descriptor, mode)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Replaces a file in one step, so that a program that reads it gets the old text or the new one. A link at its place is
 * replaced, and not followed.
 */
export function replaceFile(path: string, bytes: Uint8Array | string): void {
  const next = `${path}.${randomUUID()}`
  try {
    writeNew(next, bytes)
    renameSync(next, path)
  } catch (thrown) {
    rmSync(next, { force: true })
    throw thrown
  }
}

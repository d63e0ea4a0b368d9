import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import type { PolicyInput } from "../../core/policy/policy-input.ts"
import { MAX_FILE_BYTES } from "../../core/policy/yaml-guard.ts"
import { atOnce, type Steps } from "../../core/steps.ts"
import { type FolderPlace, placeOf } from "./folder-place.ts"
import { type Found, isSameStamps, noStamps, present, type Stamps, VanishedError, walk } from "./walk-policy-folder.ts"

/** A reading that raced a write is done again at least so often, and for at least so long, before the reader gives up. */
const MIN_ATTEMPTS = 3
const ATTEMPTS_MS = 1_000

const NOTHING = new Uint8Array()

/** The contents of a folder at one moment. */
export interface FolderLook {
  readonly files: readonly PolicyInput[]
  /** Whether the contents differ from the last look. Also true when there was no last look, or it did not finish. */
  readonly changed: boolean
  /** Whether a name, or an inode, a size or a time of a file that is read, differs from the last look. */
  readonly touched: boolean
  /** The folder's real path. It changes when a link is swapped. */
  readonly place: string
  /** How long nothing in the folder had been written, by the file system's times; 0 when they are in the future. */
  readonly unwrittenMs: number
}

/** Reads one folder repeatedly. */
export interface FolderReader {
  /**
   * Checks every file, and reads those that changed. The bytes of the others are the same objects as before.
   *
   * What is returned was in the folder at one moment. After a reading that found a change, all names, inodes, sizes and
   * times are looked at again. If anything was written meanwhile, the reading is thrown away and done again: it could lack
   * a `deny` that moved from a file that was not read yet to one that had been read.
   *
   * @throws {FolderChangingError} when every attempt raced a write
   * @throws {Error} the error of `node:fs`, when the folder or a file in it cannot be read
   */
  look(): Steps<FolderLook>
}

/** The folder was written to during every attempt to read it. */
export class FolderChangingError extends Error {
  readonly code = "FOLDER_CHANGING"

  constructor() {
    super("The folder was written to each time it was read: wait until nothing writes to it.")
  }
}

export interface FolderReaderOptions {
  /** Milliseconds since the epoch, on the clock of the file system. */
  readonly now?: () => number
  readonly read?: (file: string) => Uint8Array
}

/** Reads a folder once, as `createFolderReader` does. */
export function readPolicyFolder(folder: string): readonly PolicyInput[] {
  return atOnce(createFolderReader(folder).look()).files
}

/**
 * Makes a reader of all policies and secrets files below a folder, in the order of their paths. Names that begin with a dot
 * are skipped: lock files of editors and `.git`. Of a ConfigMap that Kubernetes mounts, the folder behind `..data` is read.
 *
 * Never leaves the folder. A symlink to a file is read if its target is inside the folder, and refused otherwise. Symlinks
 * to folders are always refused. Refused files are returned with the reason, so that the folder does not load: silently
 * skipping a policy could skip a `deny`.
 *
 * A file is read again when its inode, size or times have changed, or when it was so new at the last read that its times
 * cannot show a later change.
 */
export function createFolderReader(folder: string, options: FolderReaderOptions = {}): FolderReader {
  const { now = Date.now, read = readCapped } = options
  let remembered: ReadonlyMap<string, SeenFile> = new Map()
  let last: Reading | null = null

  function* attempt(): Steps<Reading> {
    const place = placeOf(folder)
    const seen = new Map<string, SeenFile>()
    const files: PolicyInput[] = []
    const stamps = noStamps()
    // The time is taken before a file is checked, so that a later write always has a later time than `settled` allows.
    for (const found of walk(place, stamps, now)) {
      const { path, file, refused } = found
      if (refused !== null) files.push({ path, bytes: NOTHING, refused })
      else if (file !== null) {
        const before = remembered.get(path)
        const known =
          before?.settled && before.stamp === found.stamp
            ? before
            : readAgain(
                found,
                before,
                present(() => read(file)),
              )
        seen.set(path, known)
        files.push(known.input)
      }
      yield
    }
    files.sort((one, other) => (one.path < other.path ? -1 : 1))
    // Also after a race: what was read is known by its stamp, and read again when the stamp differs.
    remembered = seen
    return { place, files, stamps }
  }

  /** Whether nothing was written since the reading looked at each name. */
  function* holds({ place, stamps }: Reading): Steps<boolean> {
    if (stamps.unproven) return false
    const again = noStamps()
    const placeNow = placeOf(folder)
    if (placeNow.path !== place.path) return false
    for (const _ of walk(placeNow, again, now)) yield
    return isSameStamps(stamps.files, again.files) && isSameStamps(stamps.folders, again.folders)
  }

  return {
    *look() {
      const before = last
      // Reset until this look has finished, so that an interrupted look counts as a change.
      last = null
      const from = performance.now()
      for (let attempts = 1; ; attempts += 1) {
        const startedAt = now()
        const reading = yield* unlessGone(attempt())
        if (reading !== null) {
          const { files, stamps, place } = reading
          const changed = before === null || !isAlike(before.files, files)
          const touched =
            before === null || before.place.path !== place.path || !isSameStamps(before.stamps.files, stamps.files)
          // A look that finds what the last one found puts nothing new in force, so only another one has to hold.
          if ((!changed && !touched) || (yield* unlessGone(holds(reading))) === true) {
            last = reading
            const unwrittenMs = Math.max(0, startedAt - stamps.writtenAt)
            return { files, changed, touched, place: place.path, unwrittenMs }
          }
        }
        if (attempts >= MIN_ATTEMPTS && performance.now() - from > ATTEMPTS_MS) throw new FolderChangingError()
        yield
      }
    },
  }
}

/** Null when a name that was listed is gone: then somebody is changing the folder. A folder that is gone itself throws. */
function* unlessGone<Value>(steps: Steps<Value>): Steps<Value | null> {
  try {
    return yield* steps
  } catch (error) {
    if (error instanceof VanishedError) return null
    throw error
  }
}

interface Reading {
  readonly place: FolderPlace
  readonly files: readonly PolicyInput[]
  readonly stamps: Stamps
}

/** The remembered state of a file that was read. */
interface SeenFile {
  /** Its inode, size and times just before it was read. */
  readonly stamp: string
  /** Whether every later change must change the stamp. */
  readonly settled: boolean
  readonly input: PolicyInput
}

function readAgain({ path, stamp, settled }: Found, before: SeenFile | undefined, bytes: Uint8Array): SeenFile {
  const same = before !== undefined && isEqual(before.input.bytes, bytes)
  return { stamp, settled, input: same ? before.input : { path, bytes } }
}

const isEqual = (one: Uint8Array, other: Uint8Array) => one === other || Buffer.compare(one, other) === 0

/** Whether two looks found the same files with the same contents. */
export function isAlike(before: readonly PolicyInput[], files: readonly PolicyInput[]): boolean {
  return (
    before.length === files.length &&
    files.every(({ path, bytes, refused }, index) => {
      const other = before[index]
      return path === other?.path && refused === other.refused && isEqual(bytes, other.bytes)
    })
  )
}

/** The file's bytes. Of a file that is too large, one byte more than the limit, so that the loader reports it. */
function readCapped(file: string): Uint8Array {
  const descriptor = openSync(file, "r")
  try {
    const size = Math.min(fstatSync(descriptor).size, MAX_FILE_BYTES + 1)
    const bytes = new Uint8Array(size)
    let length = 0
    while (length < size) {
      const read = readSync(descriptor, bytes, length, size - length, null)
      if (read === 0) break
      length += read
    }
    return bytes.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}

import { closeSync, type Dirent, fstatSync, openSync, readdirSync, readSync, realpathSync, statSync } from "node:fs"
import { join, sep } from "node:path"
import { isReadName, type PolicyInput } from "../../core/policy/policy-input.ts"
import { MAX_FILE_BYTES } from "../../core/policy/yaml-guard.ts"
import { atOnce, type Steps } from "../../core/steps.ts"

/** The maximum depth of nested folders: far more than OWNER/REPO/ENVIRONMENT.yaml needs. */
const MAX_FOLDER_DEPTH = 16

/**
 * A file that was read so soon after it was written is read again the next time, regardless of its times. Times have the
 * resolution of the file system, which is two seconds on FAT, so a second write within it would not be visible.
 */
const SETTLED_MS = 2_000

const NOTHING = new Uint8Array()

/** The contents of a folder. */
export interface FolderLook {
  readonly files: readonly PolicyInput[]
  /** Whether the contents differ from the last look. Also true when there was no last look, or it did not finish. */
  readonly changed: boolean
}

/** Reads one folder repeatedly. */
export interface FolderReader {
  /**
   * Checks every file, and reads those that changed. The bytes of the others are the same objects as before.
   *
   * @throws {Error} the error of `node:fs`, when the folder or a file in it cannot be read
   */
  look(): Steps<FolderLook>
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
 * are skipped: lock files of editors, `.git`, and the `..data` of a ConfigMap that Kubernetes mounts.
 *
 * Never leaves the folder. A symlink to a file is read if its target is inside the folder (as in a ConfigMap), and refused
 * otherwise. Symlinks to folders are always refused. Refused files are returned with the reason, so that the folder does
 * not load: silently skipping a policy could skip a `deny`.
 *
 * A file is read again when its inode, size or times have changed, or when it was so new at the last read that its times
 * cannot show a later change.
 */
export function createFolderReader(folder: string, options: FolderReaderOptions = {}): FolderReader {
  const { now = Date.now, read = readCapped } = options
  let remembered: ReadonlyMap<string, SeenFile> = new Map()
  let last: readonly PolicyInput[] | null = null

  const seenFile = (path: string, file: string): SeenFile => {
    // The time is taken before the file is checked, so that a later write always has a later time than `settled` allows.
    const at = now()
    const { ino, size, mtimeMs, ctimeMs } = statSync(file)
    const stamp = `${ino}:${size}:${mtimeMs}:${ctimeMs}`
    const before = remembered.get(path)
    if (before?.settled && before.stamp === stamp) return before
    const bytes = read(file)
    const same = before !== undefined && Buffer.compare(before.input.bytes, bytes) === 0
    const settled = Math.max(mtimeMs, ctimeMs) + SETTLED_MS < at
    return { stamp, settled, input: same ? before.input : { path, bytes } }
  }

  return {
    *look() {
      const before = last
      // Reset until this look has finished, so that an interrupted look counts as a change.
      last = null
      const root = realpathSync(folder)
      const seen = new Map<string, SeenFile>()
      const files: PolicyInput[] = []
      for (const found of walk(root, root, "", 0)) {
        if (found.refused !== null) files.push({ path: found.path, bytes: NOTHING, refused: found.refused })
        else if (found.isRead) {
          const file = seenFile(found.path, found.file)
          seen.set(found.path, file)
          files.push(file.input)
        }
        yield
      }
      files.sort((one, other) => (one.path < other.path ? -1 : 1))
      remembered = seen
      last = files
      return { files, changed: before === null || !isAlike(before, files) }
    },
  }
}

/** The remembered state of a file that was read. */
interface SeenFile {
  /** Its inode, size and times just before it was read. */
  readonly stamp: string
  /** Whether every later change must change the stamp. */
  readonly settled: boolean
  readonly input: PolicyInput
}

function isAlike(before: readonly PolicyInput[], files: readonly PolicyInput[]): boolean {
  return (
    before.length === files.length &&
    files.every(({ path, bytes, refused }, index) => {
      const other = before[index]
      return path === other?.path && bytes === other.bytes && refused === other.refused
    })
  )
}

interface Found {
  readonly path: string
  readonly file: string
  readonly refused: string | null
  /** False for folders and files of other names. */
  readonly isRead: boolean
}

/** Everything below a folder. `prefix` is its path from the root, with a trailing slash. */
function* walk(root: string, folder: string, prefix: string, depth: number): Generator<Found, void, void> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue
    const file = join(folder, entry.name)
    const path = prefix + entry.name
    const refused = reasonToRefuse(root, file, entry, depth)
    const isFolder = entry.isDirectory()
    yield { path, file, refused, isRead: !isFolder && isReadName(entry.name) }
    if (isFolder && refused === null) yield* walk(root, file, `${path}/`, depth + 1)
  }
}

function reasonToRefuse(root: string, file: string, entry: Dirent, depth: number): string | null {
  if (entry.isDirectory()) {
    return depth < MAX_FOLDER_DEPTH
      ? null
      : `Folders may be nested at most ${MAX_FOLDER_DEPTH} levels deep: move this one up.`
  }
  if (entry.isFile()) return null
  if (!entry.isSymbolicLink()) return isReadName(entry.name) ? "This is not a file: remove it." : null
  const target = statSync(file, { throwIfNoEntry: false })
  if (target?.isDirectory()) return "Symlinks to folders are not followed: put the files themselves here."
  if (!isReadName(entry.name)) return null
  if (!target?.isFile()) return "This symlink does not point to a file: remove it."
  const inside = realpathSync(file).startsWith(root + sep)
  return inside ? null : "This symlink points outside of the folder: put the file itself here."
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

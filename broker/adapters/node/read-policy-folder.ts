import { closeSync, type Dirent, fstatSync, openSync, readdirSync, readSync, realpathSync, statSync } from "node:fs"
import { join, sep } from "node:path"
import { isReadName, type PolicyInput } from "../../core/policy/policy-input.ts"
import { MAX_FILE_BYTES } from "../../core/policy/yaml-guard.ts"
import { atOnce, type Steps } from "../../core/steps.ts"

/** Folders inside folders: far more than OWNER/REPO/ENVIRONMENT.yaml needs. */
const MAX_FOLDER_DEPTH = 16

/**
 * A file that was written this shortly before it was read is read again the next time, whatever its times say: they have
 * the grain of the file system's clock, two seconds on FAT, and another write within the grain would not show.
 */
const SETTLED_MS = 2_000

const NOTHING = new Uint8Array()

/** What a folder holds. */
export interface FolderLook {
  readonly files: readonly PolicyInput[]
  /** Whether that is other than at the last look, or there was none, or it failed or was left undone. */
  readonly changed: boolean
}

/** Reads one folder again and again. */
export interface FolderReader {
  /**
   * Looks at every file, and reads those that changed; the others' bytes are the same objects as before.
   *
   * @throws {Error} as `node:fs` does, when the folder or a file in it cannot be read
   */
  look(): Steps<FolderLook>
}

export interface FolderReaderOptions {
  /** Milliseconds since the epoch, on the clock that files are dated by. */
  readonly now?: () => number
  readonly read?: (file: string) => Uint8Array
}

/** Reads a folder once, as `createFolderReader` does. */
export function readPolicyFolder(folder: string): readonly PolicyInput[] {
  return atOnce(createFolderReader(folder).look()).files
}

/**
 * Makes a reader of every policy and every file of secrets below a folder, in the order of their paths. Names that begin
 * with a dot are left out: editors' lock files, `.git`, and the `..data` that Kubernetes keeps a mounted ConfigMap in.
 *
 * Never leaves the folder: a symlink to a file is read where it leads to a place inside (a ConfigMap's files do), and
 * refused otherwise, as is every symlink to a folder. Refused files come back with the reason, so that the folder does
 * not load: leaving a policy out in silence could leave out a `deny`.
 *
 * A file is read again when its inode, size or times are others than when it was read, and when it was too new then for
 * its times to tell.
 */
export function createFolderReader(folder: string, options: FolderReaderOptions = {}): FolderReader {
  const { now = Date.now, read = readCapped } = options
  let remembered: ReadonlyMap<string, SeenFile> = new Map()
  let last: readonly PolicyInput[] | null = null

  const seenFile = (path: string, file: string): SeenFile => {
    // Before the file is looked at: what is written from now on is dated later than what counts as settled.
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
      // Until this look has come to its end, nothing is known of the folder.
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

/** What is remembered of a file that was read. */
interface SeenFile {
  /** What it looked like from outside just before. */
  readonly stamp: string
  /** Whether every later change must show in the stamp. */
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

/** Everything below a folder; `prefix` is its path from the root, with a slash behind it. */
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
    return depth < MAX_FOLDER_DEPTH ? null : `Folders are at most ${MAX_FOLDER_DEPTH} deep: move this one up.`
  }
  if (entry.isFile()) return null
  if (!entry.isSymbolicLink()) return isReadName(entry.name) ? "This is not a file: remove it." : null
  const target = statSync(file, { throwIfNoEntry: false })
  if (target?.isDirectory()) return "Symlinks to folders are not followed: put the files themselves here."
  if (!isReadName(entry.name)) return null
  if (!target?.isFile()) return "This symlink leads to no file: remove it."
  const inside = realpathSync(file).startsWith(root + sep)
  return inside ? null : "This symlink leads out of the folder: put the file itself here."
}

/** The file's bytes; of a file that is too large, just enough for the loader to say so. */
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

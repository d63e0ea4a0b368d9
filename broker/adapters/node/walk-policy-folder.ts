import { type BigIntStats, type Dirent, readdirSync, realpathSync, type Stats, statSync } from "node:fs"
import { join } from "node:path"
import { isReadName } from "../../core/policy/policy-input.ts"
import { type FolderPlace, isInside } from "./folder-place.ts"

/** The maximum depth of nested folders: far more than OWNER/REPO/ENVIRONMENT.yaml needs. */
const MAX_FOLDER_DEPTH = 16

/**
 * A file that was read so soon after it was written is read again the next time, regardless of its times. Times have the
 * resolution of the file system, which is two seconds on FAT, so a second write within it would not be visible.
 */
const SETTLED_MS = 2_000

/**
 * Two writes in one tick of the kernel's clock (at most 10 ms) leave the same times. So times prove that nothing was
 * written since they were looked at only if they were older than a tick at that moment.
 */
const TICK_MS = 20

/** What the file system says of every name that counts. */
export interface Stamps {
  /** Files that are read or refused. */
  readonly files: Map<string, string>
  readonly folders: Map<string, string>
  /** The latest time of a change, in milliseconds since the epoch. */
  writtenAt: number
  /** Whether something was written so recently that its stamp may hide a second write. */
  unproven: boolean
}

export const noStamps = (): Stamps => ({ files: new Map(), folders: new Map(), writtenAt: 0, unproven: false })

export function isSameStamps(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  if (one.size !== other.size) return false
  for (const [path, stamp] of one) if (other.get(path) !== stamp) return false
  return true
}

/** A file of a folder. */
export interface Found {
  readonly path: string
  /** Null when it is refused. */
  readonly file: string | null
  readonly refused: string | null
  readonly stamp: string
  readonly settled: boolean
}

/**
 * Every file in a folder that is read or refused. Adds what the file system says of each, just before it is yielded.
 *
 * @throws {VanishedError} when something that was listed is gone
 */
export function* walk(place: FolderPlace, stamps: Stamps, now: () => number): Generator<Found, void, void> {
  for (const { path, reason } of place.refused) {
    stamps.files.set(path, reason)
    yield { path, file: null, refused: reason, stamp: reason, settled: true }
  }
  yield* walkFolder(place.path, place.path, "", 0, stamps, now)
}

/** Everything below a folder. `prefix` is its path from the root, with a trailing slash. */
function* walkFolder(
  root: string,
  folder: string,
  prefix: string,
  depth: number,
  stamps: Stamps,
  now: () => number,
): Generator<Found, void, void> {
  const stampOf = (file: string) => {
    const at = now()
    const stats = present(() => statSync(file, { bigint: true }))
    // A program can set the first of these times to any value (utimes), but not the second.
    const [modified, changed] = [millis(stats.mtimeNs), millis(stats.ctimeNs)]
    stamps.writtenAt = Math.max(stamps.writtenAt, changed)
    if (Math.abs(at - changed) < TICK_MS) stamps.unproven = true
    return { stamp: stampOfStats(stats), settled: Math.max(modified, changed) + SETTLED_MS < at }
  }
  stamps.folders.set(prefix, stampOf(folder).stamp)
  for (const entry of present(() => readdirSync(folder, { withFileTypes: true }))) {
    if (entry.name.startsWith(".")) continue
    const file = join(folder, entry.name)
    const path = prefix + entry.name
    const refused = present(() => reasonToRefuse(root, file, entry, depth))
    const isFolder = entry.isDirectory()
    if (refused !== null) {
      stamps.files.set(path, refused)
      yield { path, file: null, refused, stamp: refused, settled: true }
    } else if (isFolder) {
      yield* walkFolder(root, file, `${path}/`, depth + 1, stamps, now)
    } else if (isReadName(entry.name)) {
      const { stamp, settled } = stampOf(file)
      stamps.files.set(path, stamp)
      yield { path, file, refused: null, stamp, settled }
    }
  }
}

/** Something was listed and is gone: somebody is changing the folder. */
export class VanishedError extends Error {}

/** Runs a look at something that was listed. @throws {VanishedError} when it is not there any more */
export function present<Value>(look: () => Value): Value {
  try {
    return look()
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") throw new VanishedError()
    throw error
  }
}

const millis = (nanoseconds: bigint) => Number(nanoseconds / 1_000_000n)

const stampOfStats = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats) =>
  `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`

function reasonToRefuse(root: string, file: string, entry: Dirent, depth: number): string | null {
  if (entry.isDirectory()) {
    return depth < MAX_FOLDER_DEPTH
      ? null
      : `Folders may be nested at most ${MAX_FOLDER_DEPTH} levels deep: move this one up.`
  }
  if (entry.isFile()) return null
  if (!entry.isSymbolicLink()) return isReadName(entry.name) ? "This is not a file: remove it." : null
  let target: Stats | undefined
  try {
    target = statSync(file, { throwIfNoEntry: false })
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ELOOP")) throw error
    return "This symlink leads back to itself: remove it."
  }
  if (target?.isDirectory()) return "Symlinks to folders are not followed: put the files themselves here."
  if (!isReadName(entry.name)) return null
  if (!target?.isFile()) return "This symlink does not point to a file: remove it."
  const inside = isInside(realpathSync(file), root)
  return inside ? null : "This symlink points outside of the folder: put the file itself here."
}

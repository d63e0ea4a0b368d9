import { closeSync, type Dirent, fstatSync, openSync, readdirSync, readSync, realpathSync, statSync } from "node:fs"
import { join, relative, sep } from "node:path"
import type { PolicyInput } from "../../core/policy/load.ts"
import { MAX_FILE_BYTES } from "../../core/policy/yaml-guard.ts"

/** Folders inside folders: far more than OWNER/REPO/ENVIRONMENT.yaml needs. */
const MAX_FOLDER_DEPTH = 16

/**
 * Reads every `*.yaml` and `*.yml` below a folder, in the order of their paths. Names that begin with a dot are left
 * out: editors' lock files, `.git`, and the `..data` that Kubernetes keeps a mounted ConfigMap in.
 *
 * Never leaves the folder: a symlink to a file is read where it leads to a place inside (a ConfigMap's files do), and
 * refused otherwise, as is every symlink to a folder. Refused files come back with the reason, so that the folder does
 * not load: leaving a policy out in silence could leave out a `deny`.
 *
 * @throws {Error} as `node:fs` does, when the folder or a file in it cannot be read
 */
export function readPolicyFolder(folder: string): readonly PolicyInput[] {
  const root = realpathSync(folder)
  const inputs: PolicyInput[] = []
  readInto(inputs, root, root, 0)
  return inputs.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/**
 * What the folder looks like from outside: changes whenever a file in it was written, moved, added or removed. Reads no
 * file, so that asking every few seconds costs little, however many policies there are.
 *
 * @throws {Error} as `node:fs` does, when the folder cannot be read
 */
export function fingerprintPolicyFolder(folder: string): string {
  const root = realpathSync(folder)
  const seen: string[] = []
  const visit = (directory: string, depth: number): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.name.startsWith(".")) continue
      const file = join(directory, entry.name)
      if (entry.isDirectory() && depth < MAX_FOLDER_DEPTH) visit(file, depth + 1)
      const found = statSync(file, { throwIfNoEntry: false })
      seen.push(`${file}:${found?.ino}:${found?.size}:${found?.mtimeMs}:${found?.ctimeMs}`)
    }
  }
  visit(root, 0)
  return seen.sort().join("\n")
}

function readInto(inputs: PolicyInput[], root: string, folder: string, depth: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue
    const file = join(folder, entry.name)
    const path = relative(root, file).split(sep).join("/")
    const reason = reasonToRefuse(root, file, entry, depth)
    if (reason !== null) inputs.push({ path, bytes: new Uint8Array(), refused: reason })
    else if (entry.isDirectory()) readInto(inputs, root, file, depth + 1)
    else if (isPolicyName(entry.name)) inputs.push({ path, bytes: readCapped(file) })
  }
}

const isPolicyName = (name: string) => /\.ya?ml$/i.test(name)

function reasonToRefuse(root: string, file: string, entry: Dirent, depth: number): string | null {
  if (entry.isDirectory()) {
    return depth < MAX_FOLDER_DEPTH ? null : `Folders are at most ${MAX_FOLDER_DEPTH} deep: move this one up.`
  }
  if (entry.isFile()) return null
  if (!entry.isSymbolicLink()) return isPolicyName(entry.name) ? "This is not a file: remove it." : null
  const target = statSync(file, { throwIfNoEntry: false })
  if (target?.isDirectory()) return "Symlinks to folders are not followed: put the files themselves here."
  if (!isPolicyName(entry.name)) return null
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

import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { forLog } from "../../escape.ts"
import { deliveryRefused } from "../../failure.ts"
import type { OwnFiles } from "./login.ts"

/** Such files are much smaller. A larger file is something else. */
const MAX_BYTES = 1024 * 1024
/** Files and folders: links that lead to each other would be millions of folders without a file. */
const MAX_ENTRIES = 500
const MAX_DEPTH = 6
/** Opening a pipe would otherwise wait for a writer. Windows has no such flag, and no such pipe. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/** The job's own files, read as the job's tools read them: links are followed. */
export const ownFiles: OwnFiles = {
  text: (path) => read(path)?.toString("utf8") ?? null,
  below: (folder) => filesBelow(folder, "", MAX_DEPTH, { seen: 0 }),
  exists: existsSync,
}

function read(path: string): Buffer | null {
  let file: number
  try {
    file = openSync(path, FLAGS)
  } catch (thrown) {
    if (isMissing(thrown)) return null
    throw notKept(path, "it cannot be read")
  }
  try {
    const { size } = fstatSync(file)
    if (!fstatSync(file).isFile()) throw notKept(path, "it is not a file")
    if (size > MAX_BYTES) throw notKept(path, "it is larger than 1 MiB")
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

function filesBelow(
  root: string,
  from: string,
  depth: number,
  count: { seen: number },
): { path: string; bytes: Buffer }[] {
  let entries: string[]
  try {
    entries = readdirSync(join(root, from))
  } catch (thrown) {
    if (isMissing(thrown)) return []
    const code = codeOf(thrown)
    if (code !== "ENOTDIR") throw notKept(join(root, from), "it cannot be read")
    const bytes = read(join(root, from))
    return bytes === null ? [] : [{ path: from, bytes }]
  }
  if (depth === 0) throw notKept(root, "its folders are too deep")
  const found: { path: string; bytes: Buffer }[] = []
  for (const entry of entries) {
    if (++count.seen > MAX_ENTRIES) throw notKept(root, `it has more than ${MAX_ENTRIES} files and folders`)
    found.push(...filesBelow(root, join(from, entry), depth - 1, count))
  }
  return found
}

const codeOf = (thrown: unknown) => (thrown as { readonly code?: unknown } | null)?.code

const isMissing = (thrown: unknown) => codeOf(thrown) === "ENOENT"

const notKept = (path: string, why: string) =>
  deliveryRefused(
    `A tool's configuration of this job, ${forLog(path)}, could not be kept beside a login: ${why}. Correct it, or move it away.`,
  )

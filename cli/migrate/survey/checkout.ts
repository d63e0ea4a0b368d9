import { type Dirent, existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { basename, join, resolve } from "node:path"
import { reasonOf } from "../../arguments.ts"
import { isOfInterest, type RepositoryFiles } from "./repository.ts"

/** Folders with other people's files. */
const SKIPPED: ReadonlySet<string> = new Set([".git", "node_modules", "vendor", ".venv", "target", "dist"])
const MAX_DEPTH = 12
const MAX_ENTRIES = 200_000
const MAX_BYTES = 2 * 1024 * 1024

/** The checkouts at a folder: the folder itself, or the folders in it, also as OWNER/REPO. A text says why there is none. */
export function checkoutsAt(folder: string): readonly RepositoryFiles[] | string {
  const root = resolve(folder)
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) return `there is no folder ${folder}`
  if (isCheckout(root)) return [checkoutAt(root, basename(root))]
  const found = foldersIn(root).flatMap((name) => {
    const path = join(root, name)
    if (isCheckout(path)) return [checkoutAt(path, name)]
    return foldersIn(path)
      .filter((inner) => isCheckout(join(path, inner)))
      .map((inner) => checkoutAt(join(path, inner), `${name}/${inner}`))
  })
  return found.length > 0
    ? found
    : `${folder} is no checkout and has none in it: a checkout has a folder .git or .github`
}

const isCheckout = (path: string) => [".git", ".github"].some((name) => existsSync(join(path, name)))

const foldersIn = (path: string): readonly string[] =>
  entriesOf(path)
    .filter((entry) => entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith("."))
    .map(({ name }) => name)
    .sort()

/** The files of one checkout. Links are not followed: they could lead out of it, or in a circle. */
export function checkoutAt(root: string, name: string): RepositoryFiles {
  const files: { path: string; bytes: Uint8Array }[] = []
  const unread: string[] = []
  let left = MAX_ENTRIES
  const visit = (folder: string, depth: number): void => {
    if (depth > MAX_DEPTH) return void unread.push(`${folder} is too deep, so it was not read`)
    for (const entry of entriesOf(join(root, folder), (reason) =>
      unread.push(`${folder || "."} cannot be read (${reason})`),
    )) {
      left -= 1
      if (left < 0) return
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory()) {
        if (!SKIPPED.has(entry.name)) visit(path, depth + 1)
      } else if (entry.isFile() && isOfInterest(path)) {
        try {
          if (statSync(join(root, path)).size > MAX_BYTES)
            unread.push(`${path} is larger than 2 MiB, so it was not read`)
          else files.push({ path, bytes: readFileSync(join(root, path)) })
        } catch (error) {
          unread.push(`${path} cannot be read (${reasonOf(error)})`)
        }
      }
    }
  }
  visit("", 0)
  if (left < 0) unread.push(`the checkout has more than ${MAX_ENTRIES} files: not all were read`)
  return { name, files, unread }
}

function entriesOf(path: string, fault: (reason: string) => void = () => {}): readonly Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (error) {
    fault(reasonOf(error))
    return []
  }
}

import { statSync } from "node:fs"
import { join, relative, resolve, sep } from "node:path"
import { Budget, type UnreadReason } from "../../action/sweep/budget.ts"
import { filesBelow } from "../../action/sweep/walk.ts"
import type { CliIo } from "../io.ts"
import { Git, GitError } from "./git.ts"
import type { Scan } from "./scan-secrets.ts"

/** Folders that no person writes into, where there is no git to say so. */
const NOT_ENTERED: readonly string[] = [".git", "node_modules"]

/**
 * Searches files, and folders with all below. In a folder of a repository that is what git has or would take: nothing that
 * `.gitignore` names. A file that is named itself is searched in any case.
 *
 * @param paths from the current directory
 * @returns the first path that does not exist; null when all do
 */
export async function scanPaths(paths: readonly string[], scan: Scan, io: CliIo): Promise<string | null> {
  for (const path of paths) {
    const found = statSync(resolve(io.cwd, path), { throwIfNoEntry: false })
    if (found === undefined) return path
    if (found.isDirectory()) await scanFolder(resolve(io.cwd, path), scan, io)
    else await scan.file(resolve(io.cwd, path), shown(resolve(io.cwd, path), io))
  }
  return null
}

async function scanFolder(folder: string, scan: Scan, io: CliIo): Promise<void> {
  const git = new Git(folder, io.env)
  try {
    // The files of a repository without a folder .git can be committed to another one, and would say what is searched here.
    const list = ["-c", "safe.bareRepository=explicit", "ls-files"]
    const known = git.parts(...list, "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", ".")
    for await (const name of known) await scan.file(join(folder, name), shown(join(folder, name), io))
  } catch (thrown) {
    if (!(thrown instanceof GitError)) throw thrown
    await walk(folder, scan, io)
  }
}

async function walk(folder: string, scan: Scan, io: CliIo): Promise<void> {
  const options = {
    budget: new Budget(Number.POSITIVE_INFINITY, 0),
    since: null,
    enters: (_: string, name: string) => !NOT_ENTERED.includes(name),
    unread: (path: string, reason: UnreadReason) => scan.note(shown(path, io), reason),
  }
  for (const path of filesBelow(folder, options)) await scan.file(path, shown(path, io))
}

/** As it is written from the current directory, with forward slashes; the whole path for another place. */
function shown(path: string, { cwd }: CliIo): string {
  const way = relative(cwd, path)
  return (way === "" || way.startsWith("..") ? path : way).split(sep).join("/")
}

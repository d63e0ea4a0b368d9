import type { Git } from "./git.ts"

/** A blob in a repository, with the path and the commit that brought it. */
export interface Blob {
  readonly id: string
  /** From the repository's root. */
  readonly path: string
  /** In hex; null for what is not committed yet. */
  readonly commit: string | null
}

/** Options that make git's answer the same whatever the user's and the repository's configuration say. */
const RAW = [
  "--raw",
  "-z",
  "--no-abbrev",
  "--no-renames",
  "--no-ext-diff",
  "--no-textconv",
  "--no-color",
  "--no-relative",
  "--ignore-submodules",
]

/** What the next commit would bring, as it is in the index: not as it is in the working tree. @throws {GitError} */
export async function* stagedBlobs(git: Git): AsyncGenerator<Blob> {
  // Outside of a repository, git would compare files.
  await git.text("rev-parse", "--git-dir")
  yield* blobsIn(git.parts("diff", "--cached", ...RAW))
}

/**
 * Each blob that a branch, a tag, a stash or HEAD leads to, once, with the newest commit that brought it. Newest first. Of merges,
 * what no parent has: the parents bring the rest. Remembers 20 bytes of each blob. @throws {GitError}
 */
export async function* historyBlobs(git: Git): AsyncGenerator<Blob> {
  const log = [
    "-c",
    "log.showRoot=true",
    "log",
    "--all",
    "--no-show-signature",
    "--no-notes",
    "--no-mailmap",
    "-c",
    "--format=tformat:%H",
  ]
  const seen = new Set<string>()
  for await (const blob of blobsIn(git.parts(...log, ...RAW))) {
    const key = Buffer.from(blob.id, "hex").toString("latin1")
    if (seen.has(key)) continue
    seen.add(key)
    yield blob
  }
}

/** A clone that `--depth` made has only a part. @throws {GitError} */
export async function isShallow(git: Git): Promise<boolean> {
  return (await git.text("rev-parse", "--is-shallow-repository")) === "true"
}

const REGULAR_OR_LINK = /^1[02]/
const COMMIT = /^[0-9a-f]{40,64}$/

/**
 * Git's raw format (git-diff-tree(1), RAW OUTPUT FORMAT; with several parents, COMBINED DIFF FORMAT): commits, headers that begin
 * with a colon for each parent, and after each header its path.
 */
async function* blobsIn(parts: AsyncIterable<string>): AsyncGenerator<Blob> {
  let [commit, id]: (string | null)[] = [null, null]
  let isPath = false
  for await (const part of parts) {
    if (isPath) {
      isPath = false
      if (id != null) yield { id, path: part, commit: commit ?? null }
      continue
    }
    const line = part.replace(/^\n/, "")
    if (COMMIT.test(line)) commit = line
    if (!line.startsWith(":")) continue
    isPath = true
    const parents = line.lastIndexOf(":") + 1
    const fields = line.slice(parents).split(" ")
    const [mode = "", blob = ""] = [fields[parents], fields[2 * parents + 1]]
    // Submodules are commits of another repository; zeros stand for a file that was removed.
    id = REGULAR_OR_LINK.test(mode) && !/^0+$/.test(blob) ? blob : null
  }
}

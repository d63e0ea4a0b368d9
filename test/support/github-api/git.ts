import { createHash } from "node:crypto"

/** A file as a commit has it. A text is a plain file. */
export type GitFile =
  | string
  | Uint8Array
  | { readonly symlink: string }
  | { readonly submodule: string }
  | { readonly executable: string }

export type GitFiles = Readonly<Record<string, GitFile>>

export interface GitEntry {
  readonly path: string
  readonly mode: string
  readonly type: "blob" | "tree" | "commit"
  readonly sha: string
  readonly size?: number
}

/** Git's objects under the names that Git gives them. */
export class GitObjects {
  readonly #blobs = new Map<string, Buffer>()
  readonly #trees = new Map<string, readonly GitEntry[]>()
  readonly #commits = new Map<string, string>()

  /** Writes files as one commit; returns its name. */
  commit(files: GitFiles, message: string): string {
    const tree = this.#tree(files)
    const author = "A U Thor <author@example.com> 1700000000 +0000"
    const name = nameOf("commit", Buffer.from(`tree ${tree}\nauthor ${author}\ncommitter ${author}\n\n${message}\n`))
    this.#commits.set(name, tree)
    return name
  }

  blob(name: string): Buffer | undefined {
    return this.#blobs.get(name)
  }

  /** A tree by its own name, or by that of a commit; with its own name. */
  tree(name: string): { readonly sha: string; readonly entries: readonly GitEntry[] } | undefined {
    const sha = this.#commits.get(name) ?? name
    const entries = this.#trees.get(sha)
    return entries && { sha, entries }
  }

  #tree(files: GitFiles): string {
    const here = Map.groupBy(Object.entries(files), ([path]) => path.split("/")[0] ?? "")
    const entries = [...here].map(([path, below]): GitEntry => {
      const [only] = below
      if (only && only[0] === path) return this.#entry(path, only[1])
      const inside = Object.fromEntries(below.map(([each, file]) => [each.slice(path.length + 1), file]))
      return { path, mode: "040000", type: "tree", sha: this.#tree(inside) }
    })
    // Git sorts folders as if their names ended in a slash.
    const sortKey = ({ path, type }: GitEntry) => (type === "tree" ? `${path}/` : path)
    entries.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
    const parts = entries.map(({ mode, path, sha }) =>
      Buffer.concat([Buffer.from(`${mode.replace(/^0/, "")} ${path}\0`), Buffer.from(sha, "hex")]),
    )
    const name = nameOf("tree", Buffer.concat(parts))
    this.#trees.set(name, entries)
    return name
  }

  #entry(path: string, file: GitFile): GitEntry {
    if (typeof file === "string" || file instanceof Uint8Array) return this.#blob(path, "100644", Buffer.from(file))
    if ("symlink" in file) return this.#blob(path, "120000", Buffer.from(file.symlink))
    if ("executable" in file) return this.#blob(path, "100755", Buffer.from(file.executable))
    return { path, mode: "160000", type: "commit", sha: nameOf("commit", Buffer.from(file.submodule)) }
  }

  #blob(path: string, mode: string, bytes: Buffer): GitEntry {
    const sha = nameOf("blob", bytes)
    this.#blobs.set(sha, bytes)
    return { path, mode, type: "blob", sha, size: bytes.length }
  }
}

function nameOf(type: string, content: Buffer): string {
  return createHash("sha1").update(`${type} ${content.length}\0`).update(content).digest("hex")
}

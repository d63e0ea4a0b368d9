import { readFileSync } from "node:fs"
import { rename, unlink } from "node:fs/promises"
import { join } from "node:path"
import { reasonOf } from "../../arguments.ts"
import type { CliIo } from "../../io.ts"

/** A file to write: its path, and its text before, null for a new one. */
export interface Write {
  readonly path: string
  readonly before: string | null
  readonly after: string
}

/**
 * Writes files: all of them or none, as far as a file system allows. Every draft is complete on the disk before the first file is
 * replaced. A text says why nothing was written.
 */
export async function writeAll(writes: readonly Write[], io: CliIo): Promise<string | null> {
  const drafts: { readonly draft: string; readonly path: string }[] = []
  try {
    for (const { path, before, after } of writes) {
      // Somebody may have changed the file since it was read.
      if (textOf(path) !== before) return `${path} has changed in the meantime: run this again`
      const draft = join(path, "..", `.daypass-${crypto.randomUUID()}`)
      await io.createFile(draft, after)
      drafts.push({ draft, path })
    }
    while (drafts.length > 0) {
      const [{ draft, path } = { draft: "", path: "" }] = drafts
      await rename(draft, path)
      drafts.shift()
    }
    return null
  } catch (error) {
    return `a file cannot be written (${reasonOf(error)})`
  } finally {
    await Promise.allSettled(drafts.map(({ draft }) => unlink(draft)))
  }
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if (reasonOf(error) === "ENOENT") return null
    throw error
  }
}

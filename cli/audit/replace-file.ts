import { rename } from "node:fs/promises"
import type { CliIo } from "../io.ts"

/** Completely or not at all: what is kept must outlive a full disk. */
export async function replaceFile(path: string, text: string, io: CliIo): Promise<void> {
  const draft = `${path}.new-${crypto.randomUUID()}`
  await io.createFile(draft, text)
  await rename(draft, path)
}

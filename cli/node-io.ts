import { appendFile, link, mkdir, open, readFile, unlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import { createHttp } from "../broker/adapters/web/http.ts"
import type { CliIo } from "./io.ts"

/** The process's own streams and files. A reader that closes the pipe, as `head` does, ends the output and not the process. */
export function nodeIo(version: string): CliIo {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error
    })
  }
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    readFile: async (path) => readFile(path),
    createFile,
    appendFile,
    readInput,
    http: createHttp({ userAgent: `daypass/${version}` }),
    now: () => new Date(),
    cwd: process.cwd(),
    env: process.env,
  }
}

/**
 * Written under another name first, and linked to its own when it is whole. A link, unlike a rename, never replaces what
 * is there, not even what came to be there a moment ago. Names that begin with a dot are no policies to anybody.
 */
export async function createFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const draft = join(dirname(path), `.daypass-${crypto.randomUUID()}`)
  const file = await open(draft, "wx")
  try {
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await link(draft, path)
  } finally {
    await unlink(draft)
  }
}

async function readInput(maxBytes: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > maxBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

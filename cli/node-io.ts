import { appendFile, link, mkdir, open, readFile, unlink } from "node:fs/promises"
import { dirname, join } from "node:path"
import { createHttp } from "../broker/adapters/web/http.ts"
import type { CliIo } from "./io.ts"
import { showsColours, styled } from "./terminal.ts"

/** The streams and files of the process, without questions to a person. If a reader such as `head` closes the pipe, output stops and the process goes on. */
export function nodeIo(version: string): CliIo {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error
    })
  }
  return {
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    paint: (stream, style, text) =>
      showsColours(stream === "out" ? process.stdout : process.stderr, process.env) ? styled(style, text) : text,
    ...(process.stderr.isTTY && !process.env["CI"] && process.env["TERM"] !== "dumb" && { status }),
    readFile: async (path) => readFile(path),
    createFile,
    appendFile,
    input: () => process.stdin as AsyncIterable<Uint8Array>,
    readInput,
    http: createHttp({ userAgent: `daypass/${version}` }),
    now: () => new Date(),
    version,
    cwd: process.cwd(),
    env: process.env,
  }
}

/** To the line's start, and erase the line: what comes then is written over it. */
const REWRITE = "\r\u001b[2K"

/** Cut to the terminal's width: a line that wraps could not be erased. */
function status(line: string | null): void {
  const { columns = 80 } = process.stderr
  process.stderr.write(line === null ? REWRITE : `${REWRITE}${line.slice(0, Math.max(0, columns - 1))}`)
}

/**
 * Writes a draft first, and links it to its final name when it is complete. Unlike a rename, a link never replaces an
 * existing file, not even one created a moment ago. The loader ignores the draft, because its name begins with a dot.
 */
export async function createFile(path: string, text: string, { secret } = { secret: false }): Promise<void> {
  await mkdir(dirname(path), { recursive: true, ...(secret ? { mode: 0o700 } : {}) })
  const draft = join(dirname(path), `.daypass-${crypto.randomUUID()}`)
  const file = await open(draft, "wx", secret ? 0o600 : 0o666)
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

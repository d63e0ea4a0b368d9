import { closeSync, createReadStream, lstatSync, readSync, type Stats } from "node:fs"
import { NotRegularError, type OpenFile, openRegular } from "../disk/safe-file.ts"
import { type Budget, Unread } from "./budget.ts"

/** What is at a path; undefined when there is nothing. A link is not followed. @throws {Unread} `unreadable` */
export function lookAt(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (thrown) {
    if (codeOf(thrown) === "ENOTDIR") return undefined
    throw new Unread("unreadable")
  }
}

/**
 * Opens a regular file. A link at its name is not followed, and a pipe or a device is not waited for.
 * @throws {Unread} `link`, `missing`, `special` or `unreadable`
 */
export function openFile(path: string): OpenFile {
  try {
    return openRegular(path)
  } catch (thrown) {
    if (thrown instanceof NotRegularError) throw new Unread("special")
    throw new Unread(REASONS[codeOf(thrown)] ?? "unreadable")
  }
}

const REASONS: Readonly<Record<string, "link" | "missing" | "special">> = {
  __proto__: null as never,
  ELOOP: "link",
  EMLINK: "link", // FreeBSD
  ENOENT: "missing",
  ENOTDIR: "missing",
  ENXIO: "special", // a socket
  EISDIR: "special",
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : ""
}

/** Reads up to `most` bytes in chunks, and closes the file. `take` gets a buffer that is reused. @throws {Unread} `unreadable` */
export function readThrough(file: OpenFile, most: number, take: (chunk: Uint8Array) => void): void {
  try {
    for (let left = most; left > 0; ) {
      const count = readSome(file.descriptor, Math.min(left, CHUNK.length))
      if (count === 0) return
      take(CHUNK.subarray(0, count))
      left -= count
    }
  } finally {
    closeSync(file.descriptor)
  }
}

const CHUNK = Buffer.allocUnsafe(256 * 1024)

function readSome(descriptor: number, most: number): number {
  try {
    return readSync(descriptor, CHUNK, 0, most, null)
  } catch {
    throw new Unread("unreadable")
  }
}

/**
 * The file's bytes as a stream, which closes it. Looks at the clock for each chunk, whatever becomes of its bytes: a sparse
 * file of a terabyte takes no room on a disk, and its reader can pass over all of it.
 * @throws {Unread} `unreadable`, `time`
 */
export async function* streamOf({ descriptor }: OpenFile, budget: Budget): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream("", { fd: descriptor, autoClose: true, highWaterMark: 256 * 1024 })) {
      budget.check()
      yield chunk as Uint8Array
    }
  } catch (thrown) {
    throw thrown instanceof Unread ? thrown : new Unread("unreadable")
  }
}

/** The lines of these offsets, 1-based; null for a file that is no text, or when the time is over. Reads the file once more. */
export function linesAt(path: string, offsets: readonly number[], budget: Budget): ReadonlyMap<number, number | null> {
  const lines = new Map<number, number | null>(offsets.map((offset) => [offset, null]))
  const end = Math.max(...offsets)
  let [line, at, isText] = [1, 0, true]
  const waiting = [...new Set(offsets)].sort((a, b) => a - b)
  try {
    readThrough(openFile(path), end + 1, (chunk) => {
      budget.check()
      if (at === 0) isText = !chunk.subarray(0, 8_000).includes(0)
      for (const byte of isText ? chunk : []) {
        while (waiting[0] === at) lines.set(waiting.shift() ?? 0, line)
        if (byte === 0x0a) line++
        at++
      }
    })
  } catch {
    // It was there a moment ago, or there is no time to count. The finding counts without its line.
  }
  return lines
}

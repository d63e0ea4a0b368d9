import { type Budget, Unread } from "./budget.ts"

/** A stream that is read in pieces. */
export class Source {
  readonly #chunks: AsyncIterator<Uint8Array>
  #rest: Uint8Array = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** The next chunk, of at most `most` bytes; null at the end. */
  async next(most = Number.POSITIVE_INFINITY): Promise<Uint8Array | null> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next()
      if (done === true) return null
      this.#rest = value
    }
    const chunk = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(chunk.length)
    return chunk
  }

  /** The next `size` bytes, or what is left. */
  async take(size: number): Promise<Buffer> {
    const chunks: Uint8Array[] = []
    for (let left = size; left > 0; ) {
      const chunk = await this.next(left)
      if (chunk === null) break
      chunks.push(chunk)
      left -= chunk.length
    }
    return Buffer.concat(chunks)
  }

  /** The next `size` bytes, or what is left. They stay in the stream. Copies nothing while one chunk has enough. */
  async peek(size: number): Promise<Buffer> {
    while (this.#rest.length < size) {
      const { done, value } = await this.#chunks.next()
      if (done === true) break
      this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value])
    }
    const bytes = this.#rest.subarray(0, size)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** Puts back what was taken last and not used. */
  putBack(bytes: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([bytes, this.#rest])
  }

  async *all(): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.next(); chunk !== null; chunk = await this.next()) yield chunk
  }

  /** Ends the stream below, whose file would stay open otherwise. */
  async close(): Promise<void> {
    await this.#chunks.return?.()
  }
}

export type Form = "gzip" | "zstd" | "tar" | "zip" | "unknown archive" | "bytes"

/** What a stream is, by its first bytes. `PEEK_BYTES` of them are enough. */
export function formOf(start: Buffer): Form {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip"
  if (start.length >= 4 && start.readUInt32LE(0) === ZSTD_FRAME) return "zstd"
  if (start.length >= BLOCK && start.toString("latin1", 257, 262) === "ustar") return "tar"
  if (start.toString("hex", 0, 4) === ZIP_ENTRY) return "zip"
  return UNKNOWN_ARCHIVES.some((magic) => start.toString("hex", 0, 8).startsWith(magic)) ? "unknown archive" : "bytes"
}

/** 7z, xz, bzip2, SquashFS. */
const UNKNOWN_ARCHIVES: readonly string[] = ["377abcaf", "fd377a585a", "425a68", "68737173"]

/** APPNOTE.TXT, section 4.3.7. */
const ZIP_ENTRY = "504b0304"
/** RFC 8878, section 3.1.1. */
const ZSTD_FRAME = 0xfd2fb528
const BLOCK = 512
export const PEEK_BYTES = BLOCK

/** One member of an archive. Its bytes must be read before the next one is asked for; what is not read is passed over. */
export interface Entry {
  /** As it is written in the archive: untrusted. Empty for what describes other members. */
  readonly name: string
  readonly content: Source
}

/** POSIX.1-2017, pax: ustar; GNU's long names and large numbers. @throws {Unread} `damaged` */
export async function* tarEntries(source: Source, budget: Budget): AsyncGenerator<Entry> {
  let longName = ""
  for (let block = await source.take(BLOCK); block.length > 0; block = await source.take(BLOCK)) {
    budget.check()
    if (block.every((byte) => byte === 0)) continue
    const size = numberIn(block, 124, 12)
    if (block.length < BLOCK || size === null || !isChecked(block)) throw new Unread("damaged")
    const type = String.fromCharCode(block[156] ?? 0)
    const describes = type === "x" || type === "g" || type === "L" || type === "K"
    if (describes && size <= MAX_DESCRIPTION_BYTES) {
      const text = await source.take(size)
      await skip(source, padding(size))
      if (type === "L") longName = textIn(text, 0, size)
      if (type === "x") longName = /^[0-9]+ path=(.*)$/m.exec(text.toString("utf8"))?.[1] ?? longName
      longName = longName.slice(0, MAX_NAME_CHARACTERS)
      yield { name: "", content: new Source(once(text)) }
      continue
    }
    const prefix = textIn(block, 345, 155)
    const name = longName !== "" ? longName : `${prefix === "" ? "" : `${prefix}/`}${textIn(block, 0, 100)}`
    longName = ""
    const part = new Part(source, size)
    yield { name, content: new Source(part.chunks()) }
    await skip(source, part.left + padding(size))
  }
}

const MAX_DESCRIPTION_BYTES = 1024 * 1024
/** Longer than any path of a file system. A finding is kept with its name. */
const MAX_NAME_CHARACTERS = 4_096

/** The next bytes of a source. `left`: what was not read. */
export class Part {
  readonly #source: Source
  left: number

  constructor(source: Source, size: number) {
    this.#source = source
    this.left = size
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    while (this.left > 0) {
      const chunk = await this.#source.next(this.left)
      if (chunk === null) throw new Unread("damaged")
      this.left -= chunk.length
      yield chunk
    }
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Passes over bytes. What is not there is not missed: the reader of the next ones sees the end. */
export async function skip(source: Source, size: number): Promise<void> {
  for (let left = size; left > 0; ) {
    const chunk = await source.next(left)
    if (chunk === null) return
    left -= chunk.length
  }
}

const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK

function textIn(block: Buffer, start: number, length: number): string {
  const end = block.indexOf(0, start)
  return block.toString("utf8", start, end === -1 || end > start + length ? start + length : end)
}

/** Octal digits, or GNU's binary form with the first bit set; null for anything else. */
function numberIn(block: Buffer, start: number, length: number): number | null {
  if (block[start] === 0x80) return Number(block.readBigUInt64BE(start + length - 8) & 0x1f_ffff_ffff_ffffn)
  const digits = textIn(block, start, length).trim()
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : null
}

/** The sum of all bytes of the header, with spaces in the place of the sum itself. */
function isChecked(block: Buffer): boolean {
  let sum = 8 * 0x20
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0
  return numberIn(block, 148, 8) === sum
}

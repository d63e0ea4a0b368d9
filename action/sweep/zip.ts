import { createInflateRaw } from "node:zlib"
import { type Entry, Part, Source, skip } from "./archive.ts"
import { type Budget, Unread } from "./budget.ts"
import { unpackedPart } from "./compressed.ts"

/** Numbers of APPNOTE.TXT, sections 4.3.7 and 4.3.9. */
const ENTRY = 0x04034b50
const HEADER_BYTES = 30
const DESCRIPTOR_BYTES = [16, 24, 12, 20]
const STORED = 0
const DEFLATED = 8
const IS_ENCRYPTED = 1
/** The sizes follow the data: written by programs that did not know them before. */
const HAS_DESCRIPTOR = 8
const ZIP64_FIELD = 1
const IN_ZIP64 = 0xffff_ffff
const MAX_NAME_CHARACTERS = 4_096

/**
 * The entries of a ZIP archive, by the headers before them and not by the directory at its end: so a stream is enough, and an
 * entry that the directory does not name is read, too. @throws {Unread} `damaged`
 */
export async function* zipEntries(source: Source, budget: Budget): AsyncGenerator<Entry> {
  for (;;) {
    budget.check()
    const header = await source.take(HEADER_BYTES)
    // The directory, which comes last.
    if (header.length < HEADER_BYTES || header.readUInt32LE(0) !== ENTRY) {
      if (header.toString("latin1", 0, 2) === "PK") return
      throw new Unread("damaged")
    }
    const [flags, method] = [header.readUInt16LE(6), header.readUInt16LE(8)]
    const name = (await source.take(header.readUInt16LE(26))).toString("utf8").slice(0, MAX_NAME_CHARACTERS)
    const size = sizeOf(header, await source.take(header.readUInt16LE(28)))
    const isReadable = (flags & IS_ENCRYPTED) === 0 && (method === STORED || method === DEFLATED)
    if ((flags & HAS_DESCRIPTOR) !== 0 && size === 0) {
      // Only deflated data says itself where it ends.
      if (!isReadable || method === STORED) throw new Unread("archive")
      const content = new Source(unpackedPart(source, createInflateRaw(), budget))
      yield { name, content }
      for await (const _ of content.all()) budget.check()
      await skipDescriptor(source)
      continue
    }
    const part = new Part(source, size)
    yield { name, content: new Source(isReadable ? contentOf(part, method, budget) : unreadable()) }
    await skip(source, part.left)
    if ((flags & HAS_DESCRIPTOR) !== 0) await skipDescriptor(source)
  }
}

/** Of the data as it is in the archive. Section 4.5.3: a large size is in a field of its own, after the size of the content. */
function sizeOf(header: Buffer, extra: Buffer): number {
  const size = header.readUInt32LE(18)
  if (size !== IN_ZIP64) return size
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === ZIP64_FIELD && at + 20 <= extra.length) return Number(extra.readBigUInt64LE(at + 12))
  }
  throw new Unread("damaged")
}

async function* contentOf(part: Part, method: number, budget: Budget): AsyncGenerator<Uint8Array> {
  if (method === STORED) yield* part.chunks()
  else yield* unpackedPart(new Source(part.chunks()), createInflateRaw(), budget)
}

// biome-ignore lint/correctness/useYield: it fails when it is read.
async function* unreadable(): AsyncGenerator<Uint8Array> {
  throw new Unread("archive")
}

/** With its signature or without, with sizes of four or eight bytes: what follows it tells. @throws {Unread} `damaged` */
async function skipDescriptor(source: Source): Promise<void> {
  const next = await source.peek(Math.max(...DESCRIPTOR_BYTES) + 2)
  const bytes = DESCRIPTOR_BYTES.find((each) => next.toString("latin1", each, each + 2) === "PK")
  if (bytes === undefined) throw new Unread("damaged")
  await skip(source, bytes)
}

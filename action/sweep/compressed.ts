import { Readable } from "node:stream"
import * as zlib from "node:zlib"
import { formOf, PEEK_BYTES, type Source, skip } from "./archive.ts"
import { type Budget, Unread } from "./budget.ts"

/**
 * The bytes of a compressed stream: of all its members (RFC 1952, section 2.2) or frames (RFC 8878, section 3.1). Builders of
 * images write many of them, and Node's zlib ends after the first frame, or at padding after a member.
 * @throws {Unread} `archive`, `size`, `damaged` or `time`
 */
export async function* unpacked(source: Source, form: "gzip" | "zstd", budget: Budget): AsyncGenerator<Uint8Array> {
  // Node 20, with which the command line works too, has no zstd.
  const zstd = (zlib as { createZstdDecompress?: () => zlib.Gunzip }).createZstdDecompress
  if (form === "zstd" && zstd === undefined) throw new Unread("archive")
  while (await isAtNext(source, form, budget)) {
    yield* unpackedPart(source, form === "gzip" || zstd === undefined ? zlib.createGunzip() : zstd(), budget)
  }
}

/** Passes over what is between two parts. False at the end. @throws {Unread} `time`; `damaged` when something else follows */
async function isAtNext(source: Source, form: "gzip" | "zstd", budget: Budget): Promise<boolean> {
  budget.check()
  if (form === "gzip") await skipZeros(source)
  else {
    for (let head = await source.peek(8); isSkippable(head); head = await source.peek(8)) {
      budget.check()
      await skip(source, 8 + head.readUInt32LE(4))
    }
  }
  const start = await source.peek(PEEK_BYTES)
  if (start.length > 0 && formOf(start) !== form) throw new Unread("damaged")
  return start.length > 0
}

/** RFC 8878, section 3.1.2, without the four bits that are free. */
const ZSTD_SKIPPABLE = 0x184d2a5
const isSkippable = (head: Buffer) => head.length === 8 && head.readUInt32LE(0) >>> 4 === ZSTD_SKIPPABLE

async function skipZeros(source: Source): Promise<void> {
  for (let chunk = await source.next(); chunk !== null; chunk = await source.next()) {
    const other = chunk.findIndex((byte) => byte !== 0)
    if (other !== -1) return source.putBack(chunk.subarray(other))
  }
}

/** One member or frame, or one entry of a ZIP. What `unpack` did not need is put back into the source. */
export async function* unpackedPart(
  source: Source,
  unpack: zlib.Gunzip | zlib.InflateRaw,
  budget: Budget,
): AsyncGenerator<Uint8Array> {
  let [kept, keptFrom]: [Uint8Array[], number] = [[], 0]
  const dropUsed = () => {
    for (let [first] = kept; first !== undefined && keptFrom + first.length <= unpack.bytesWritten; [first] = kept) {
      keptFrom += first.length
      kept.shift()
    }
  }
  async function* fed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.all()) {
      dropUsed()
      kept.push(chunk)
      yield chunk
    }
  }
  const feed = fed()
  const packed = Readable.from(feed, { objectMode: false })
  packed.on("error", (error) => unpack.destroy(error))
  try {
    for await (const chunk of packed.pipe(unpack) as AsyncIterable<Uint8Array>) {
      budget.check()
      budget.unpack(chunk.length)
      yield chunk
    }
  } catch (thrown) {
    throw thrown instanceof Unread ? thrown : new Unread("damaged")
  } finally {
    packed.destroy()
    unpack.destroy()
    // A chunk that is on its way is kept, too.
    await feed.return(undefined)
  }
  dropUsed()
  source.putBack(Buffer.concat(kept).subarray(unpack.bytesWritten - keptFrom))
  kept = []
}

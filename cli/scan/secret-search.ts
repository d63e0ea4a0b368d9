import type { Place, Searcher } from "../../action/sweep/reader.ts"
import { literalsIn } from "../secrets/literals.ts"
import { type Hit, placeIn } from "./hit.ts"

type Found = Omit<Hit, "path" | "entry" | "commit">

/** More is no source, and takes seconds. Of such a text the beginning is searched. */
const MAX_TEXT_BYTES = 8 * 1024 ** 2
/** Where git, too, looks for a zero byte. */
const BINARY_BYTES = 8_000

/** Looks for secrets by their form in texts: each of a file, or of an entry of an archive. Never holds more than one text. */
export class SecretSearch implements Searcher<Found> {
  readonly #cut: (place: Place) => void
  #texts = 0
  #binaries = 0
  #bytes = 0
  #place: Place | null = null
  #isCut = false
  #chunks: Uint8Array[] = []
  #size = 0
  #isBinary = false

  /** `cut`: told of each text that is longer than `MAX_TEXT_BYTES`. */
  constructor(cut: (place: Place) => void) {
    this.#cut = cut
  }

  get counts() {
    return { texts: this.#texts, binaries: this.#binaries, bytes: this.#bytes }
  }

  begin(place: Place): void {
    this.#place = place
    this.#isCut = false
    this.#chunks = []
    this.#size = 0
    this.#isBinary = false
  }

  push(chunk: Uint8Array): void {
    if (this.#isBinary) return
    const looked = Math.max(0, BINARY_BYTES - this.#size)
    this.#isBinary = !this.#isUtf16(chunk) && chunk.subarray(0, looked).includes(0)
    if (this.#isBinary) {
      this.#chunks = []
      return
    }
    // A copy: readers use their buffers again.
    const room = MAX_TEXT_BYTES - this.#size
    this.#chunks.push(Uint8Array.from(chunk.subarray(0, room)))
    this.#size += Math.min(room, chunk.length)
    this.#isCut ||= chunk.length > room
  }

  async end(): Promise<readonly Found[]> {
    if (this.#isBinary) {
      this.#binaries++
      return []
    }
    const [bytes, place] = [Buffer.concat(this.#chunks), this.#place]
    this.#chunks = []
    if (place === null) return []
    if (this.#isCut) this.#cut(place)
    this.#texts++
    this.#bytes += bytes.length
    const text = textOf(bytes)
    const literals = await literalsIn({ text, path: place.inside.at(-1) ?? place.path })
    return literals.map((literal) => ({ rule: literal.rule, ...placeIn(text, literal, literals) }))
  }

  soFar(): Promise<readonly Found[]> {
    return this.end()
  }

  /** Windows PowerShell writes it, with a byte order mark. */
  #isUtf16(chunk: Uint8Array): boolean {
    return isUtf16(this.#chunks[0] ?? chunk)
  }
}

const isUtf16 = (bytes: Uint8Array) =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)

function textOf(bytes: Buffer): string {
  if (!isUtf16(bytes)) return bytes.toString("utf8")
  return new TextDecoder(bytes[0] === 0xff ? "utf-16le" : "utf-16be").decode(bytes)
}

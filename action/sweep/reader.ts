import { formOf, PEEK_BYTES, Source, tarEntries } from "./archive.ts"
import { type Budget, reasonOf, Unread, type UnreadReason } from "./budget.ts"
import { unpacked } from "./compressed.ts"
import { openFile, streamOf } from "./files.ts"
import { zipEntries } from "./zip.ts"

/** A stream in a file: the entries that lead to it, and how many archives and compressions it is in. */
export interface Place {
  readonly path: string
  readonly inside: readonly string[]
  readonly depth: number
  readonly budget: Budget
}

/** Looks for something in streams of bytes, one stream after the other. */
export interface Searcher<Found> {
  begin(place: Place): void
  /** @throws {Unread} */
  push(chunk: Uint8Array): void
  /** What the stream contains. @throws {Unread} */
  end(): readonly Found[] | Promise<readonly Found[]>
  /** The same for a stream that could not be read to its end. Never throws. */
  soFar(): readonly Found[] | Promise<readonly Found[]>
}

export interface ReaderEvents<Found> {
  found(found: readonly Found[], place: Place): void
  /** `path` is untrusted; ` / ` is between an archive and its entry. */
  unread(path: string, reason: UnreadReason): void
}

/** A saved image is a tar with compressed tars inside. An archive in one of its layers is one or two more. */
const MAX_NESTED = 6

/** Hands the bytes of files to a searcher, those inside of archives and compressed files, too. */
export class Reader<Found> {
  readonly #search: Searcher<Found>
  readonly #events: ReaderEvents<Found>

  constructor(search: Searcher<Found>, events: ReaderEvents<Found>) {
    this.#search = search
    this.#events = events
  }

  /** `shown`: the path for the events. @throws {Unread} */
  async file(path: string, budget: Budget, shown = path): Promise<void> {
    await this.stream(new Source(streamOf(openFile(path), budget)), { path: shown, inside: [], depth: 0, budget })
  }

  /** Reads a stream, and closes it. @throws {Unread} */
  async stream(source: Source, place: Place): Promise<void> {
    try {
      await this.#stream(source, place)
    } finally {
      await source.close()
    }
  }

  async #stream(source: Source, at: Place): Promise<void> {
    const { inside, budget, depth } = at
    const form = formOf(await source.peek(PEEK_BYTES))
    if (form === "unknown archive") this.#events.unread(nameOf(at), "archive")
    if (form === "bytes" || form === "unknown archive") return this.#content(source, at)
    if (depth >= MAX_NESTED) throw new Unread("nested")
    const deeper = { ...at, depth: depth + 1 }
    if (form === "gzip" || form === "zstd") return this.#stream(new Source(unpacked(source, form, budget)), deeper)
    for await (const { name, content } of form === "tar" ? tarEntries(source, budget) : zipEntries(source, budget)) {
      const entry = { ...deeper, inside: name === "" ? inside : [...inside, name] }
      if (name === "") await this.#content(content, entry)
      else await this.#entry(content, entry)
    }
  }

  /** A damaged archive inside of another one does not end the reading of the outer one. */
  async #entry(content: Source, at: Place): Promise<void> {
    try {
      await this.#stream(content, at)
    } catch (thrown) {
      const reason = reasonOf(thrown)
      if (reason === "time" || reason === "size") throw thrown
      this.#events.unread(nameOf(at), reason)
    }
  }

  async #content(source: Source, at: Place): Promise<void> {
    this.#search.begin(at)
    try {
      for await (const chunk of source.all()) this.#search.push(chunk)
      this.#events.found(await this.#search.end(), at)
    } catch (thrown) {
      this.#events.found(await this.#search.soFar(), at)
      throw thrown
    }
  }
}

const nameOf = ({ path, inside }: Place): string => [path, ...inside].join(" / ")

import { Source } from "../../action/sweep/archive.ts"
import { Budget, Unread, type UnreadReason } from "../../action/sweep/budget.ts"
import { type Place, Reader } from "../../action/sweep/reader.ts"
import type { Progress } from "../terminal.ts"
import type { Git } from "./git.ts"
import type { Blob } from "./history.ts"
import type { Hit } from "./hit.ts"
import { SecretSearch } from "./secret-search.ts"

/** What a search for secrets found, and what it could not look at. */
export interface Searched {
  readonly hits: readonly Hit[]
  /** True when there are more than are listed. */
  readonly hasMore: boolean
  /** Places that could not be read, or not to their end; not all of them are listed. */
  readonly unread: readonly { readonly path: string; readonly reason: UnreadReason }[]
  readonly unreadCount: number
  /** Null where nothing was searched: for a report. */
  readonly texts: number | null
  readonly binaries: number
  readonly links: number
  readonly bytes: number
}

const MAX_HITS = 10_000
const MAX_UNREAD = 20
const MAX_UNPACKED_BYTES = 64 * 1024 ** 3

/** One search for secrets, in files or in blobs of a repository. Holds no text of a secret. */
export class Scan {
  readonly #hits: Hit[] = []
  readonly #unread: { path: string; reason: UnreadReason }[] = []
  readonly #search = new SecretSearch((place) => this.note(nameOf(place), "size"))
  readonly #budget = new Budget(Number.POSITIVE_INFINITY, MAX_UNPACKED_BYTES)
  readonly #progress: Pick<Progress, "add">
  readonly #reader: Reader<Omit<Hit, "path" | "entry" | "commit">>
  #commit: string | null = null
  #unreadCount = 0
  #links = 0

  /** `progress` counts files and blobs. */
  constructor(progress: Pick<Progress, "add">) {
    this.#progress = progress
    this.#reader = new Reader(this.#search, {
      found: (found, { path, inside }) => {
        const entry = inside.join(" / ")
        const commit = this.#commit
        for (const one of found) {
          if (this.#hits.length <= MAX_HITS)
            this.#hits.push({ ...one, path, ...(entry !== "" && { entry }), ...(commit !== null && { commit }) })
        }
      },
      unread: (path, reason) => this.note(path, reason),
    })
  }

  /** `shown`: the path in the result. A link is not followed, and counted. */
  async file(path: string, shown: string): Promise<void> {
    await this.#read(shown, () => this.#reader.file(path, this.#budget, shown))
  }

  /** All blobs, with their commits. @throws {GitError} */
  async blobs(blobs: AsyncIterable<Blob>, git: Git): Promise<void> {
    const objects = git.objects()
    try {
      for await (const { id, path, commit } of blobs) {
        this.#commit = commit
        const place = { path, inside: [], depth: 0, budget: this.#budget }
        await this.#read(path, () => this.#reader.stream(new Source(objects.blob(id)), place))
      }
    } finally {
      objects.close()
    }
  }

  note(path: string, reason: UnreadReason): void {
    this.#unreadCount++
    if (this.#unread.length < MAX_UNREAD) this.#unread.push({ path, reason })
  }

  searched(): Searched {
    // Folders have no order. Commits have: the newest first.
    const hits = this.#commit === null ? this.#hits.sort(byPlace) : this.#hits
    return {
      hits: hits.slice(0, MAX_HITS),
      hasMore: this.#hits.length > MAX_HITS,
      unread: this.#unread.sort((one, other) => (one.path < other.path ? -1 : 1)),
      unreadCount: this.#unreadCount,
      links: this.#links,
      ...this.#search.counts,
    }
  }

  async #read(shown: string, read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (thrown) {
      if (!(thrown instanceof Unread)) throw thrown
      const { reason } = thrown
      if (reason === "link") this.#links++
      // A file that is gone again, or that git still lists, has nothing in it.
      else if (reason !== "missing") this.note(shown, reason)
    }
    this.#progress.add(1)
  }
}

const byPlace = (one: Hit, other: Hit): number =>
  one.path === other.path ? (one.line ?? 0) - (other.line ?? 0) : one.path < other.path ? -1 : 1

const nameOf = ({ path, inside }: Place): string => [path, ...inside].join(" / ")

import { MAX_PATTERN_BYTES, patternMac, windowHash, windowOf } from "../fingerprints/keys.ts"
import type { IssuedValue, OpenRecord, Pattern } from "../fingerprints/record.ts"
import type { Budget } from "./budget.ts"

/** A value in a stream of bytes. `offset`: of its first byte. */
export interface Found {
  readonly value: IssuedValue
  readonly offset: number
}

/** The patterns of one window size. The filter answers "no" for almost every position, without a look into the map. */
interface Table {
  readonly window: number
  readonly multiplier: number
  /** The multiplier to the power of `window`: takes the oldest byte out of the hash. */
  readonly oldest: number
  readonly filter: Uint8Array
  readonly byHash: ReadonlyMap<number, readonly Candidates[]>
}

/** Patterns that begin alike and have one length. One fingerprint tells which of them a text is. */
interface Candidates {
  readonly record: OpenRecord
  readonly length: number
  readonly byMac: ReadonlyMap<string, readonly IssuedValue[]>
  /** All values of `byMac`. */
  readonly values: readonly IssuedValue[]
}

/** How much is searched between two looks at the clock. */
const CHUNK_BYTES = 256 * 1024
/** The same for fingerprints: a text that repeats what many values begin with makes one for each of its characters. */
const MACS_PER_LOOK = 1024
const FILTER_SHIFT = 16

/**
 * Looks for all patterns of all records in streams of bytes, one stream after the other. A rolling hash over the first bytes
 * of each pattern finds candidates, and HMAC-SHA256 over the whole pattern confirms them (Karp and Rabin, 1987). Values that
 * are cut by the border of two chunks are found, because the end of a chunk is searched again with the next one.
 */
export class Search {
  readonly #tables: readonly Table[]
  readonly #buffer = new Uint8Array(CHUNK_BYTES + MAX_PATTERN_BYTES)
  #budget: Budget
  #filled = 0
  /** Of the buffer's first byte in the stream. */
  #offset = 0
  #found = new Map<IssuedValue, number>()
  #bytes = 0
  #macs = 0

  constructor(records: readonly OpenRecord[], budget: Budget) {
    this.#tables = tablesOf(records)
    this.#budget = budget
  }

  /** All bytes that were searched. */
  get bytes(): number {
    return this.#bytes
  }

  begin({ budget }: { readonly budget: Budget }): void {
    this.#budget = budget
    this.#filled = 0
    this.#offset = 0
    this.#found = new Map()
  }

  /** @throws {Unread} `time` */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, this.#buffer.length - this.#filled)
      this.#buffer.set(chunk.subarray(at, at + taken), this.#filled)
      this.#filled += taken
      at += taken
      if (this.#filled < this.#buffer.length) return
      this.#budget.check()
      this.#search(this.#filled - MAX_PATTERN_BYTES + 1)
    }
  }

  /** The first place of each value that the stream contains. @throws {Unread} `time` */
  end(): readonly Found[] {
    this.#budget.check()
    this.#search(this.#filled)
    return this.#places()
  }

  /** The same for a stream that could not be read to its end. Never throws. */
  soFar(): readonly Found[] {
    try {
      return this.end()
    } catch {
      // The time is over. What was found by then counts.
      return this.#places()
    }
  }

  #places(): readonly Found[] {
    return [...this.#found].map(([value, offset]) => ({ value, offset }))
  }

  /** Searches for patterns that start in the first `limit` bytes of the buffer, and drops these bytes. */
  #search(limit: number): void {
    for (const table of this.#tables) this.#scan(table, limit)
    this.#bytes += limit
    this.#offset += limit
    this.#buffer.copyWithin(0, limit, this.#filled)
    this.#filled -= limit
  }

  #scan({ window, multiplier, oldest, filter, byHash }: Table, limit: number): void {
    const [buffer, filled] = [this.#buffer, this.#filled]
    const last = Math.min(limit, filled - window + 1)
    if (last <= 0) return
    let hash = windowHash(buffer, 0, window, multiplier)
    for (let at = 0; ; at++) {
      if (filter[hash >>> FILTER_SHIFT] !== 0) {
        const candidates = byHash.get(hash)
        if (candidates !== undefined) this.#confirm(candidates, at)
      }
      if (at + 1 >= last) return
      // What does not depend on the last hash comes first: the processor computes it ahead.
      const change = (buffer[at + window] as number) - Math.imul(buffer[at] as number, oldest)
      hash = (Math.imul(hash, multiplier) + change) | 0
    }
  }

  /** @throws {Unread} `time` */
  #confirm(candidates: readonly Candidates[], at: number): void {
    const start = this.#offset + at
    const isFound = (value: IssuedValue) => (this.#found.get(value) ?? Number.POSITIVE_INFINITY) <= start
    for (const { record, length, byMac, values } of candidates) {
      if (at + length > this.#filled || values.every(isFound)) continue
      if (++this.#macs % MACS_PER_LOOK === 0) this.#budget.check()
      const mac = patternMac(record.keys, this.#buffer.subarray(at, at + length))
      for (const value of byMac.get(mac) ?? []) if (!isFound(value)) this.#found.set(value, start)
    }
  }
}

interface Known {
  readonly record: OpenRecord
  readonly pattern: Pattern
}

function tablesOf(records: readonly OpenRecord[]): readonly Table[] {
  const all = records.flatMap((record) => record.patterns.map((pattern): Known => ({ record, pattern })))
  const byTable = grouped(all, ({ record, pattern }) => `${windowOf(pattern.length)} ${record.keys.multiplier}`)
  return [...byTable.values()].map((some) => {
    const [{ record, pattern }] = some as [Known]
    return tableOf(windowOf(pattern.length), record.keys.multiplier, some)
  })
}

function tableOf(window: number, multiplier: number, all: readonly Known[]): Table {
  const filter = new Uint8Array(1 << (32 - FILTER_SHIFT))
  const byHash = new Map(
    [...grouped(all, ({ pattern }) => pattern.hash)].map(([hash, alike]) => [hash, candidatesAmong(alike)] as const),
  )
  for (const hash of byHash.keys()) filter[hash >>> FILTER_SHIFT] = 1
  let oldest = 1
  for (let power = 0; power < window; power++) oldest = Math.imul(oldest, multiplier)
  return { window, multiplier, oldest, filter, byHash }
}

function candidatesAmong(alike: readonly Known[]): readonly Candidates[] {
  const byRecord = [...grouped(alike, ({ record }) => record)]
  return byRecord.flatMap(([record, all]) =>
    [...grouped(all, ({ pattern }) => pattern.length)].map(([length, some]) => {
      const issued = ({ pattern }: Known) => record.values[pattern.value] as IssuedValue
      const byMac = [...grouped(some, ({ pattern }) => pattern.mac)].map(
        ([mac, same]) => [mac, same.map(issued)] as const,
      )
      return { record, length, byMac: new Map(byMac), values: [...new Set(some.map(issued))] }
    }),
  )
}

/** Node 20, with which the command line works too, has no `Map.groupBy`. */
function grouped<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

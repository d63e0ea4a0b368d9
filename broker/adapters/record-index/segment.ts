/**
 * A part of the index: what up to 512 records of one month can be found by. A search reads each segment's list of terms, and
 * looks into its rows only when every term is in the list. So a search costs nearly the same whatever it looks for, a segment is
 * one row of a database, and a record takes about 65 bytes.
 */
export interface Segment {
  /** Unix milliseconds: of its oldest and newest record. */
  readonly minAt: number
  readonly maxAt: number
  readonly count: number
  /** The distinct hashes of its records' terms, 32 bits each, in the order of their first use. */
  readonly terms: Uint8Array
  /** The distinct events of its records, as JSON, in the order of their first use. */
  readonly events: string
  /** For each record, in 16 bits each: the row's head as below, then the places of its terms in the list. */
  readonly rows: Uint8Array
}

/** A record as the index knows it. */
export interface IndexRow {
  /** Unix milliseconds. */
  readonly at: number
  /** The number of its ledger in the index's store. */
  readonly ledger: number
  readonly seq: number
  readonly event: string
  /** Hashes of its terms. */
  readonly terms: readonly number[]
}

/** Where a record stands in the order of all: by time, and for the same time by ledger and number. */
export type Position = Pick<IndexRow, "at" | "ledger" | "seq">

export interface Match extends Position {
  readonly event: string
}

export const SEGMENT_RECORDS = 512
/** Terms are numbered with 16 bits, and one record can bring thousands. */
const SEGMENT_TERMS = 30_000

// at: 3 places, ledger: 2, seq: 3, event: 1, how many terms: 1.
const HEAD = 10

/**
 * A segment has records of one stretch of 30 days, so that a search newest first reads few segments, in whatever order the
 * ledgers were read. Shorter stretches would make reading all ledgers anew slow: each batch would change as many segments.
 */
const monthOf = (at: number): number => Math.floor(at / (30 * 86_400_000))

/** Rows by the month that they belong to. */
export function byMonth(rows: readonly IndexRow[]): ReadonlyMap<number, readonly IndexRow[]> {
  const months = new Map<number, IndexRow[]>()
  for (const row of rows) {
    const month = monthOf(row.at)
    const ofMonth = months.get(month)
    if (ofMonth) ofMonth.push(row)
    else months.set(month, [row])
  }
  return months
}

/** Newest first. */
export const compare = (one: Position, other: Position): number =>
  other.at - one.at || other.ledger - one.ledger || other.seq - one.seq

/**
 * Puts rows of one month into segments: first into `open`, the month's last one, if it has room. Returns the changed `open`, or
 * null when it has none, and new segments.
 */
export function filled(
  open: Segment | null,
  rows: readonly IndexRow[],
): { readonly changed: Segment | null; readonly added: readonly Segment[] } {
  const segments: Segment[] = []
  let filling = new Filling(open)
  let isFirst = true
  let changed: Segment | null = null
  const close = () => {
    const segment = filling.segment()
    if (segment === null) return
    if (isFirst && open !== null) changed = segment
    else segments.push(segment)
  }
  for (const row of rows) {
    if (!filling.hasRoom(row)) {
      close()
      isFirst = false
      filling = new Filling(null)
    }
    filling.add(row)
  }
  close()
  return { changed, added: segments }
}

class Filling {
  #minAt: number
  #maxAt: number
  #count: number
  #isChanged = false
  readonly #places: Map<number, number>
  readonly #events: string[]
  readonly #before: Uint8Array
  readonly #rows: number[] = []

  constructor(open: Segment | null) {
    this.#minAt = open?.minAt ?? Number.POSITIVE_INFINITY
    this.#maxAt = open?.maxAt ?? 0
    this.#count = open?.count ?? 0
    this.#events = open ? (JSON.parse(open.events) as string[]) : []
    this.#before = open?.rows ?? new Uint8Array()
    this.#places = new Map(open ? [...words(open.terms)].map((term, place) => [term, place]) : [])
  }

  hasRoom(row: IndexRow): boolean {
    if (this.#count === 0) return true
    return this.#count < SEGMENT_RECORDS && this.#places.size + row.terms.length <= SEGMENT_TERMS
  }

  add({ at, ledger, seq, event, terms }: IndexRow): void {
    let number = this.#events.indexOf(event)
    if (number < 0) number = this.#events.push(event) - 1
    const places = terms.slice(0, SEGMENT_TERMS).map((term) => this.#placeOf(term))
    this.#rows.push(high(at, 2), high(at, 1), high(at, 0), high(ledger, 1), high(ledger, 0))
    this.#rows.push(high(seq, 2), high(seq, 1), high(seq, 0), number, places.length, ...places)
    this.#minAt = Math.min(this.#minAt, at)
    this.#maxAt = Math.max(this.#maxAt, at)
    this.#count += 1
    this.#isChanged = true
  }

  segment(): Segment | null {
    if (!this.#isChanged) return null
    const added = new Uint8Array(Uint16Array.from(this.#rows).buffer)
    const rows = new Uint8Array(this.#before.length + added.length)
    rows.set(this.#before)
    rows.set(added, this.#before.length)
    return {
      minAt: this.#minAt,
      maxAt: this.#maxAt,
      count: this.#count,
      terms: new Uint8Array(Uint32Array.from(this.#places.keys()).buffer),
      events: JSON.stringify(this.#events),
      rows,
    }
  }

  #placeOf(term: number): number {
    const known = this.#places.get(term)
    if (known !== undefined) return known
    const place = this.#places.size
    this.#places.set(term, place)
    return place
  }
}

/** Whether a segment can have a record that meets all clauses, each by one of its hashes: only then are its rows read. */
export function mayMatch(terms: Uint8Array, clauses: readonly (readonly number[])[]): boolean {
  const list = words(terms)
  return clauses.every((clause) => clause.some((hash) => list.includes(hash)))
}

/** The records of a segment that meet all clauses, at most 31. */
export function matchesIn(
  { terms, events, rows }: Pick<Segment, "terms" | "events" | "rows">,
  clauses: readonly (readonly number[])[],
): readonly Match[] {
  const list = words(terms)
  const met = new Int32Array(list.length)
  clauses.forEach((clause, bit) => {
    for (const hash of clause) {
      const place = list.indexOf(hash)
      if (place >= 0) met[place] = (met[place] ?? 0) | (1 << bit)
    }
  })
  const all = 2 ** clauses.length - 1
  const names = JSON.parse(events) as readonly string[]
  const places = halves(rows)
  const place = (at: number): number => places[at] ?? 0
  const matches: Match[] = []
  for (let at = 0; at < places.length; ) {
    const end = at + HEAD + place(at + 9)
    let seen = 0
    for (let term = at + HEAD; term < end; term++) seen |= met[place(term)] ?? 0
    if (seen === all) {
      matches.push({
        at: (place(at) * 65_536 + place(at + 1)) * 65_536 + place(at + 2),
        ledger: place(at + 3) * 65_536 + place(at + 4),
        seq: (place(at + 5) * 65_536 + place(at + 6)) * 65_536 + place(at + 7),
        event: names[place(at + 8)] ?? "",
      })
    }
    at = end
  }
  return matches
}

/** 16 bits of a number, counted from its end. */
const high = (value: number, place: 0 | 1 | 2): number => Math.floor(value / 65_536 ** place) % 65_536

// Typed arrays have the machine's byte order. Node and workerd run on little-endian machines only.
const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(aligned(bytes, 4), offset(bytes, 4), bytes.length / 4)
const halves = (bytes: Uint8Array): Uint16Array =>
  new Uint16Array(aligned(bytes, 2), offset(bytes, 2), bytes.length / 2)

const isAligned = (bytes: Uint8Array, to: number) => bytes.byteOffset % to === 0
const offset = (bytes: Uint8Array, to: number) => (isAligned(bytes, to) ? bytes.byteOffset : 0)
const aligned = (bytes: Uint8Array, to: number) => (isAligned(bytes, to) ? bytes.buffer : bytes.slice().buffer)

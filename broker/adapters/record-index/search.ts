import type { AuditEvent } from "../../core/audit-record.ts"
import type { LedgerKey } from "../../ports/directory.ts"
import type { Ledgers } from "../../ports/ledger.ts"
import type {
  FoundRecords,
  HourCount,
  LastUse,
  RecordIndex,
  RecordQuery,
  RecordScope,
  RecordSpan,
  RecordTerms,
} from "../../ports/record-index.ts"
import { cursorOf, positionOf } from "./cursor.ts"
import { readFound } from "./read-found.ts"
import { compare, type Match, matchesIn, mayMatch, type Position } from "./segment.ts"
import type { IndexStore, SegmentHead, SegmentPlace } from "./store.ts"
import { type Clauses, clausesOf, hashOf } from "./terms.ts"

const HOUR_MS = 3_600_000
/** Segments of one look into the store: their terms take half a megabyte. */
const PAGE_SEGMENTS = 100

/**
 * What one call reads at most, in bytes of segments: more than an index of a million records has. A call beyond it answers with
 * what it has, and a cursor.
 */
const READ_AT_MOST_BYTES = 128 * 1024 * 1024

/** The index over its store. Found records are read from their ledgers, so that it holds none of their texts. */
export class StoredIndex implements RecordIndex {
  readonly #store: IndexStore
  readonly #ledgers: Ledgers
  readonly #readAtMost: number

  constructor(store: IndexStore, ledgers: Ledgers, readAtMost = READ_AT_MOST_BYTES) {
    this.#store = store
    this.#ledgers = ledgers
    this.#readAtMost = readAtMost
  }

  async search(query: RecordQuery): Promise<FoundRecords> {
    const clauses = clausesOf(query, query.scope)
    const { matches, next } = await this.#newest(clauses, query)
    return {
      ...(await readFound(matches, { clauses, scope: query.scope ?? {} }, this.#store, this.#ledgers)),
      next: next && cursorOf(next),
    }
  }

  async hours(query: RecordTerms & RecordSpan & { readonly scope?: RecordScope }) {
    const hours = new Map<number, Partial<Record<AuditEvent, number>>>()
    const { since = 0, until = Number.MAX_SAFE_INTEGER } = query
    let oldest = since
    let isComplete = true
    for await (const { head, matches } of this.#scan(clausesOf(query, query.scope, true), { since, until })) {
      if (matches === null) {
        isComplete = false
        // Segments follow by their newest record: of what is older than the next one's, something may be missing.
        oldest = Math.ceil((head.maxAt + 1) / HOUR_MS) * HOUR_MS
        break
      }
      for (const { at, event } of matches) {
        const hour = Math.floor(at / HOUR_MS) * HOUR_MS
        const events = hours.get(hour) ?? {}
        events[event as AuditEvent] = (events[event as AuditEvent] ?? 0) + 1
        hours.set(hour, events)
      }
    }
    const counted = [...hours].map(([hour, events]): HourCount => ({ hour, events }))
    return {
      hours: counted.filter(({ hour }) => isComplete || hour >= oldest).sort((one, other) => one.hour - other.hour),
      complete: isComplete,
    }
  }

  lastUse(key: LedgerKey): Promise<readonly LastUse[]> {
    return this.#store.lastUse(key)
  }

  /** The newest matches, at most as many as asked for, and the position after which older ones follow. */
  async #newest(clauses: Clauses, { cursor, since = 0, until = Number.MAX_SAFE_INTEGER, limit }: RecordQuery) {
    const after: Position = cursor === undefined ? { at: until, ledger: -1, seq: -1 } : positionOf(cursor)
    const span = { since, until: Math.min(until, after.at + 1) }
    let matches: Match[] = []
    for await (const { head, matches: found } of this.#scan(clauses, span, after)) {
      const last = matches[limit - 1]
      // All that follows is older.
      if (last && last.at > head.maxAt) break
      if (found === null) {
        const bound = { at: head.maxAt + 1, ledger: -1, seq: -1 }
        return { matches: matches.filter((match) => compare(match, bound) < 0).slice(0, limit), next: bound }
      }
      matches = merged(
        matches,
        found.filter((match) => compare(after, match) < 0),
      ).slice(0, limit + 1)
    }
    const page = matches.slice(0, limit)
    return { matches: page, next: matches.length > limit ? (page.at(-1) ?? null) : null }
  }

  /**
   * Segments that have records of a span, by their newest record, with their matches. `matches` is null when this call has read
   * as much as it may, and the segment was not read; not before anything older than `after` was read, so that a caller who goes
   * on comes to an end.
   */
  async *#scan(clauses: Clauses, span: Required<RecordSpan>, after?: Position) {
    const hashes = clauses.map((clause) => clause.map(hashOf))
    let read = 0
    let place: SegmentPlace | null = null
    while (true) {
      const heads: readonly SegmentHead[] = await this.#store.segments({ ...span, after: place, limit: PAGE_SEGMENTS })
      for (const head of heads) {
        if (read > this.#readAtMost && (after === undefined || head.maxAt + 1 < after.at)) {
          yield { head, matches: null }
          return
        }
        read += head.terms.length
        if (!mayMatch(head.terms, hashes)) continue
        const segment = await this.#store.rows(head.id)
        if (segment === null) continue
        read += segment.rows.length
        const matches = matchesIn(segment, hashes)
        yield { head, matches: matches.filter(({ at }) => at >= span.since && at < span.until) }
      }
      const last = heads.at(-1)
      if (heads.length < PAGE_SEGMENTS || last === undefined) return
      place = last
    }
  }
}

/** Both, newest first, each record once. */
function merged(matches: readonly Match[], found: readonly Match[]): Match[] {
  const all = [...matches, ...found].sort(compare)
  return all.filter((match, at) => {
    const before = all[at - 1]
    return before === undefined || compare(before, match) !== 0
  })
}

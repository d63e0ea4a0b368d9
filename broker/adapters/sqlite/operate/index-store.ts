import type { LedgerKey } from "../../../ports/directory.ts"
import type { LastUse } from "../../../ports/record-index.ts"
import type { Reading, Sql } from "../../../ports/sql.ts"
import { type EntryRow, entryOf } from "../../record-index/entry-row.ts"
import { byMonth, filled, type IndexRow, SEGMENT_RECORDS, type Segment } from "../../record-index/segment.ts"
import type { Additions, IndexedLedger, IndexStore, SegmentHead, SegmentPlace } from "../../record-index/store.ts"

type SegmentRow = {
  readonly id: number
  readonly min_at: number
  readonly max_at: number
  readonly records: number
  readonly terms: Uint8Array
  readonly events: string
  readonly rows: Uint8Array
}

/** The index in any SQLite database. */
export class SqlIndexStore implements IndexStore {
  readonly #sql: Sql
  readonly #work: Reading

  constructor(sql: Sql, work: Reading) {
    this.#sql = sql
    this.#work = work
  }

  add(key: LedgerKey, { rows, uses }: Additions): Promise<void> {
    return this.#work(() =>
      this.#sql.transaction(() => {
        const [ledger] = this.#sql.all<{ id: number; indexed: number }>(
          "SELECT id, indexed FROM followed_ledgers WHERE issuer = ? AND unit_id = ?",
          key.issuerUrl,
          key.unitId,
        )
        // Only a ledger that was noted is followed.
        if (!ledger) throw new Error("this ledger was never noted")
        const added = rows.filter(({ seq }) => seq > ledger.indexed).map((row) => ({ ...row, ledger: ledger.id }))
        for (const [month, ofMonth] of byMonth(added)) this.#addTo(month, ofMonth)
        for (const { kind, name, at } of uses) {
          this.#sql.run(
            `INSERT INTO last_uses (ledger, kind, name, at) VALUES (?, ?, ?, ?)
             ON CONFLICT (ledger, kind, name) DO UPDATE SET at = max(at, excluded.at)`,
            ledger.id,
            kind,
            name,
            at,
          )
        }
        const last = added.at(-1)
        if (last) this.#sql.run("UPDATE followed_ledgers SET indexed = ? WHERE id = ?", last.seq, ledger.id)
      }),
    )
  }

  segments(span: {
    readonly since: number
    readonly until: number
    readonly after: SegmentPlace | null
    readonly limit: number
  }): Promise<readonly SegmentHead[]> {
    const { since, until, after, limit } = span
    return this.#work(() =>
      this.#sql
        .all<Omit<SegmentRow, "rows" | "records" | "events">>(
          `SELECT id, min_at, max_at, terms FROM segments
           WHERE (max_at, id) < (?, ?) AND max_at >= ? AND min_at < ? ORDER BY max_at DESC, id DESC LIMIT ?`,
          after?.maxAt ?? Number.MAX_SAFE_INTEGER,
          after?.id ?? Number.MAX_SAFE_INTEGER,
          since,
          until,
          limit,
        )
        .map(({ id, min_at, max_at, terms }) => ({ id, minAt: min_at, maxAt: max_at, terms })),
    )
  }

  rows(id: number): Promise<Pick<Segment, "terms" | "events" | "rows"> | null> {
    return this.#work(
      () =>
        this.#sql.all<Pick<SegmentRow, "terms" | "events" | "rows">>(
          "SELECT terms, events, rows FROM segments WHERE id = ?",
          id,
        )[0] ?? null,
    )
  }

  ledgers(ids: readonly number[]): Promise<readonly IndexedLedger[]> {
    return this.#work(() =>
      ids.flatMap((id) => {
        const [row] = this.#sql.all<EntryRow>("SELECT * FROM followed_ledgers WHERE id = ?", id)
        return row ? [{ ...entryOf(row), id }] : []
      }),
    )
  }

  lastUse(key: LedgerKey): Promise<readonly LastUse[]> {
    return this.#work(() =>
      this.#sql.all<{ kind: LastUse["kind"]; name: string; at: number }>(
        `SELECT u.kind, u.name, u.at FROM last_uses u JOIN followed_ledgers l ON l.id = u.ledger
         WHERE l.issuer = ? AND l.unit_id = ? ORDER BY u.kind, u.name`,
        key.issuerUrl,
        key.unitId,
      ),
    )
  }

  #addTo(month: number, rows: readonly IndexRow[]): void {
    const [last] = this.#sql.all<SegmentRow>(
      "SELECT id, min_at, max_at, records, terms, events, rows FROM segments WHERE month = ? ORDER BY id DESC LIMIT 1",
      month,
    )
    const open = last && last.records < SEGMENT_RECORDS ? last : undefined
    const { changed, added } = filled(open ? segmentOf(open) : null, rows)
    if (changed) {
      this.#sql.run(
        "UPDATE segments SET min_at = ?, max_at = ?, records = ?, terms = ?, events = ?, rows = ? WHERE id = ?",
        ...valuesOf(changed),
        open?.id ?? 0,
      )
    }
    for (const segment of added) {
      this.#sql.run(
        "INSERT INTO segments (min_at, max_at, records, terms, events, rows, month) VALUES (?, ?, ?, ?, ?, ?, ?)",
        ...valuesOf(segment),
        month,
      )
    }
  }
}

const segmentOf = ({ min_at, max_at, records, terms, events, rows }: SegmentRow): Segment => ({
  minAt: min_at,
  maxAt: max_at,
  count: records,
  terms,
  events,
  rows,
})

const valuesOf = ({ minAt, maxAt, count, terms, events, rows }: Segment) =>
  [minAt, maxAt, count, terms, events, rows] as const

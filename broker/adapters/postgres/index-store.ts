import type { LedgerKey } from "../../ports/directory.ts"
import type { LastUse } from "../../ports/record-index.ts"
import { ENTRY, type EntryRow, entryOf } from "../record-index/entry-row.ts"
import { byMonth, filled, type IndexRow, SEGMENT_RECORDS, type Segment } from "../record-index/segment.ts"
import type { Additions, IndexedLedger, IndexStore, SegmentHead, SegmentPlace } from "../record-index/store.ts"
import type { OwnRows } from "./key-ring.ts"
import { type Row, rowsOf, type Session } from "./session.ts"

/** Bytes travel in base64: the driver's text of bytes is twice as long as they are. */
type SegmentRow = Row & {
  readonly id: number
  readonly min_at: number
  readonly max_at: number
  readonly records: number
  readonly terms: string
  readonly events: string
  readonly rows: string
}

const bytes = (column: string) => `pg_catalog.encode(${column}, 'base64') AS ${column}`

/** The index in a database that several brokers share. */
export class PostgresIndexStore implements IndexStore {
  readonly #rows: OwnRows

  constructor(rows: OwnRows) {
    this.#rows = rows
  }

  async add(key: LedgerKey, { rows, uses }: Additions): Promise<void> {
    await this.#rows.write(async (session) => {
      const { rows: ledgers } = await session.run<{ id: number; indexed: number }>({
        text: "SELECT id, indexed FROM daypass.followed_ledgers WHERE issuer = $1 AND unit_id = $2 FOR UPDATE",
        values: [key.issuerUrl, key.unitId],
      })
      const [ledger] = ledgers
      // Only a ledger that was noted is followed.
      if (!ledger) throw new Error("this ledger was never noted")
      const added = rows.filter(({ seq }) => seq > ledger.indexed).map((row) => ({ ...row, ledger: ledger.id }))
      for (const [month, ofMonth] of byMonth(added)) await addTo(session, month, ofMonth)
      await session.run({
        text: `INSERT INTO daypass.last_uses
          SELECT $1::integer, kind, name, at FROM json_to_recordset($2::text::json) AS w(kind text, name text, at bigint)
          ON CONFLICT (ledger, kind, name) DO UPDATE SET at = greatest(last_uses.at, excluded.at)`,
        values: [ledger.id, rowsOf(uses.map(({ kind, name, at }) => ({ kind, name, at })))],
      })
      const last = added.at(-1)
      if (last === undefined) return
      await session.run({
        text: "UPDATE daypass.followed_ledgers SET indexed = $1::bigint WHERE id = $2::integer",
        values: [last.seq, ledger.id],
      })
    })
  }

  segments(span: {
    readonly since: number
    readonly until: number
    readonly after: SegmentPlace | null
    readonly limit: number
  }): Promise<readonly SegmentHead[]> {
    const { since, until, after, limit } = span
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<SegmentRow>({
        text: `SELECT id, min_at, max_at, ${bytes("terms")} FROM daypass.segments
          WHERE (max_at, id) < ($1::bigint, $2::bigint) AND max_at >= $3::bigint AND min_at < $4::bigint
          ORDER BY max_at DESC, id DESC LIMIT $5::bigint`,
        values: [after?.maxAt ?? Number.MAX_SAFE_INTEGER, after?.id ?? 0, since, until, limit],
      })
      return rows.map(({ id, min_at, max_at, terms }) => ({ id, minAt: min_at, maxAt: max_at, terms: read(terms) }))
    })
  }

  rows(id: number): Promise<Pick<Segment, "terms" | "events" | "rows"> | null> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<SegmentRow>({
        text: `SELECT ${bytes("terms")}, events, ${bytes("rows")} FROM daypass.segments WHERE id = $1::integer`,
        values: [id],
      })
      const [row] = rows
      return row ? { terms: read(row.terms), events: row.events, rows: read(row.rows) } : null
    })
  }

  ledgers(ids: readonly number[]): Promise<readonly IndexedLedger[]> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<EntryRow>({
        text: `SELECT ${ENTRY} FROM daypass.followed_ledgers l WHERE l.id = ANY($1::text::integer[])`,
        values: [`{${ids.join(",")}}`],
      })
      return rows.map((row) => ({ ...entryOf(row), id: row.id }))
    })
  }

  lastUse(key: LedgerKey): Promise<readonly LastUse[]> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ kind: LastUse["kind"]; name: string; at: number }>({
        text: `SELECT u.kind, u.name, u.at FROM daypass.last_uses u JOIN daypass.followed_ledgers l ON l.id = u.ledger
          WHERE l.issuer = $1 AND l.unit_id = $2 ORDER BY u.kind, u.name`,
        values: [key.issuerUrl, key.unitId],
      })
      return rows.map(({ kind, name, at }) => ({ kind, name, at }))
    })
  }
}

async function addTo(session: Session, month: number, rows: readonly IndexRow[]): Promise<void> {
  const { rows: found } = await session.run<SegmentRow>({
    text: `SELECT id, min_at, max_at, records, ${bytes("terms")}, events, ${bytes("rows")}
      FROM daypass.segments WHERE month = $1::integer ORDER BY id DESC LIMIT 1`,
    values: [month],
  })
  const [last] = found
  const open = last && last.records < SEGMENT_RECORDS ? last : undefined
  const { changed, added } = filled(open ? segmentOf(open) : null, rows)
  if (changed) {
    await session.run({
      text: `UPDATE daypass.segments SET min_at = $1::bigint, max_at = $2::bigint, records = $3::integer,
        terms = decode($4, 'base64'), events = $5, rows = decode($6, 'base64') WHERE id = $7::integer`,
      values: [...valuesOf(changed), open?.id ?? 0],
    })
  }
  for (const segment of added) {
    await session.run({
      text: `INSERT INTO daypass.segments (min_at, max_at, records, terms, events, rows, month)
        VALUES ($1::bigint, $2::bigint, $3::integer, decode($4, 'base64'), $5, decode($6, 'base64'), $7::integer)`,
      values: [...valuesOf(segment), month],
    })
  }
}

const segmentOf = ({ min_at, max_at, records, terms, events, rows }: SegmentRow): Segment => ({
  minAt: min_at,
  maxAt: max_at,
  count: records,
  terms: read(terms),
  events,
  rows: read(rows),
})

const valuesOf = ({ minAt, maxAt, count, terms, events, rows }: Segment) =>
  [minAt, maxAt, count, written(terms), events, written(rows)] as const

const read = (base64: string): Uint8Array => Buffer.from(base64, "base64")
const written = (value: Uint8Array): string => Buffer.from(value).toString("base64")

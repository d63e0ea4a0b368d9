import { BrokerError } from "../../core/errors.ts"
import type { Directory, LedgerEntry, LedgerHead, LedgerKey, LedgerNames, LedgersPage } from "../../ports/directory.ts"
import type { Behind, FollowStore, FollowTotals, Reader } from "../../ports/followed.ts"
import { ENTRY, type EntryRow, entryOf } from "../record-index/entry-row.ts"
import type { OwnRows } from "./key-ring.ts"
import { rowsOf } from "./session.ts"

/** The known ledgers and the places of their readers, in a database that several brokers share. One of them follows. */
export class PostgresFollowStore implements FollowStore, Directory {
  readonly #rows: OwnRows
  /** By reader: it has read all ledgers to their ends that were noted up to here. In memory: a new leader looks at all once. */
  readonly #done = new Map<string, number>()

  constructor(rows: OwnRows) {
    this.#rows = rows
  }

  async note(heads: readonly LedgerHead[]): Promise<void> {
    if (heads.length === 0) return
    const rows = heads.map(({ issuerUrl, unitId, seq, chain, latestAt, openLeases }) => ({
      ...{ issuer: issuerUrl, unit_id: unitId, seq, chain, latest_at: latestAt, open_leases: openLeases },
    }))
    await this.#rows.write(async (session) => {
      await session.run({
        text: `INSERT INTO daypass.followed_ledgers (issuer, unit_id, seq, chain, latest_at, open_leases, noted)
          SELECT w.*, nextval('daypass.noted') FROM json_to_recordset($1::text::json)
            AS w(issuer text, unit_id text, seq bigint, chain text, latest_at bigint, open_leases bigint)
          ON CONFLICT (issuer, unit_id) DO UPDATE SET seq = excluded.seq, chain = excluded.chain,
            latest_at = excluded.latest_at, open_leases = excluded.open_leases, noted = excluded.noted`,
        values: [rowsOf(rows)],
      })
      // For ledgers that were set back.
      await session.run({
        text: `UPDATE daypass.reader_places p SET seq = l.seq
          FROM daypass.followed_ledgers l JOIN json_to_recordset($1::text::json) AS w(issuer text, unit_id text)
            ON w.issuer = l.issuer AND w.unit_id = l.unit_id
          WHERE p.ledger = l.id AND p.seq > l.seq`,
        values: [rowsOf(rows)],
      })
      await session.run({ text: "UPDATE daypass.followed_ledgers SET indexed = seq WHERE indexed > seq" })
    })
  }

  async correct(noted: LedgerHead, found: LedgerHead): Promise<void> {
    const known = await this.entry(noted)
    // Only the broker that follows notes heads.
    if (known?.seq === noted.seq) await this.note([found])
  }

  register({ name, from }: Pick<Reader, "name" | "from">, now: number): Promise<number> {
    return this.#rows.write(async (session) => {
      const { rows } = await session.run({
        text: "INSERT INTO daypass.readers VALUES ($1, $2::bigint) ON CONFLICT DO NOTHING RETURNING 1 AS one",
        values: [name, now],
      })
      if (rows.length === 1 && from === "now") {
        await session.run({
          text: "INSERT INTO daypass.reader_places SELECT $1, id, seq FROM daypass.followed_ledgers",
          values: [name],
        })
      }
      const { rows: known } = await session.run<{ since: number }>({
        text: "SELECT since FROM daypass.readers WHERE name = $1",
        values: [name],
      })
      return known[0]?.since ?? now
    })
  }

  behind(reader: string, limit: number): Promise<readonly Behind[]> {
    return this.#rows.read(async (session) => {
      const { rows: newest } = await session.run<{ noted: number | null }>({
        text: "SELECT max(noted) AS noted FROM daypass.followed_ledgers",
      })
      const noted = newest[0]?.noted ?? 0
      const done = Math.min(this.#done.get(reader) ?? 0, noted)
      if (done === noted) return []
      const { rows } = await session.run<EntryRow & { readonly cursor: number }>({
        text: `SELECT ${ENTRY}, coalesce(p.seq, 0)::bigint AS cursor
          FROM daypass.followed_ledgers l LEFT JOIN daypass.reader_places p ON p.reader = $1 AND p.ledger = l.id
          WHERE l.noted > $2::bigint AND l.seq > coalesce(p.seq, 0) ORDER BY l.noted LIMIT $3::bigint`,
        values: [reader, done, limit],
      })
      if (rows.length === 0) this.#done.set(reader, noted)
      return rows.map((row) => ({ ledger: entryOf(row), cursor: row.cursor }))
    })
  }

  async move(reader: string, key: LedgerKey, seq: number): Promise<void> {
    await this.#rows.write((session) =>
      session.run({
        text: `INSERT INTO daypass.reader_places
          SELECT $1, id, $2::bigint FROM daypass.followed_ledgers WHERE issuer = $3 AND unit_id = $4
          ON CONFLICT (reader, ledger) DO UPDATE SET seq = excluded.seq`,
        values: [reader, seq, key.issuerUrl, key.unitId],
      }),
    )
  }

  async name(key: LedgerKey, { unit, unitKind, owner, ownerId }: LedgerNames): Promise<void> {
    await this.#rows.write((session) =>
      session.run({
        text: `UPDATE daypass.followed_ledgers SET unit = $1, unit_kind = $2, owner = $3, owner_id = $4
          WHERE issuer = $5 AND unit_id = $6`,
        values: [unit, unitKind, owner, ownerId, key.issuerUrl, key.unitId],
      }),
    )
  }

  takenBy(readers: readonly string[], key: LedgerKey): Promise<number> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<{ readers: number; seq: number | null }>({
        text: `SELECT count(*) AS readers, min(p.seq) AS seq
          FROM daypass.reader_places p JOIN daypass.followed_ledgers l ON l.id = p.ledger
          WHERE l.issuer = $1 AND l.unit_id = $2 AND p.reader IN (SELECT pg_catalog.json_array_elements_text($3::text::json))`,
        values: [key.issuerUrl, key.unitId, JSON.stringify([...new Set(readers)])],
      })
      const [row] = rows
      return row?.readers === new Set(readers).size ? (row.seq ?? 0) : 0
    })
  }

  totals(readers: readonly string[]): Promise<FollowTotals> {
    return this.#rows.read(async (session) => {
      const { rows: all } = await session.run<{ ledgers: number; open: number; latest: number }>({
        text: `SELECT count(*) AS ledgers, coalesce(sum(open_leases), 0)::bigint AS open,
          coalesce(max(latest_at), 0)::bigint AS latest FROM daypass.followed_ledgers`,
      })
      const { rows: behind } = await session.run<{ reader: string; records: number }>({
        text: `SELECT r.reader, coalesce(sum(l.seq - coalesce(p.seq, 0)), 0)::bigint AS records
          FROM pg_catalog.json_array_elements_text($1::text::json) AS r(reader)
          LEFT JOIN daypass.followed_ledgers l ON true
          LEFT JOIN daypass.reader_places p ON p.reader = r.reader AND p.ledger = l.id
          WHERE l.id IS NULL OR l.seq >= coalesce(p.seq, 0) GROUP BY r.reader`,
        values: [JSON.stringify(readers)],
      })
      const records = new Map(behind.map((row) => [row.reader, row.records]))
      return {
        ledgers: all[0]?.ledgers ?? 0,
        openLeases: all[0]?.open ?? 0,
        latestAt: all[0]?.latest ?? 0,
        behind: Object.fromEntries(readers.map((reader) => [reader, records.get(reader) ?? 0])),
      }
    })
  }

  list({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<LedgersPage> {
    if (after !== undefined && !/^[0-9]{1,10}$/.test(after)) throw notACursor()
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<EntryRow>({
        text: `SELECT ${ENTRY} FROM daypass.followed_ledgers l WHERE l.id > $1::bigint ORDER BY l.id LIMIT $2::bigint`,
        values: [Number(after ?? 0), limit + 1],
      })
      const page = rows.slice(0, limit)
      return { ledgers: page.map(entryOf), next: rows.length > limit ? `${page.at(-1)?.id}` : null }
    })
  }

  entry(key: LedgerKey): Promise<LedgerEntry | null> {
    return this.#rows.read(async (session) => {
      const { rows } = await session.run<EntryRow>({
        text: `SELECT ${ENTRY} FROM daypass.followed_ledgers l WHERE l.issuer = $1 AND l.unit_id = $2`,
        values: [key.issuerUrl, key.unitId],
      })
      return rows[0] ? entryOf(rows[0]) : null
    })
  }
}

const notACursor = () =>
  new BrokerError("request_malformed", "after: send the text that the last answer had under next, or none.")

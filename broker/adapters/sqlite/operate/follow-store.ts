import { BrokerError } from "../../../core/errors.ts"
import type {
  Directory,
  LedgerEntry,
  LedgerHead,
  LedgerKey,
  LedgerNames,
  LedgersPage,
} from "../../../ports/directory.ts"
import type { Behind, FollowStore, FollowTotals, Reader } from "../../../ports/followed.ts"
import type { Reading, Sql } from "../../../ports/sql.ts"
import { ENTRY, type EntryRow, entryOf } from "../../record-index/entry-row.ts"

/** The known ledgers and the places of their readers, in any SQLite database. */
export class SqlFollowStore implements FollowStore, Directory {
  readonly #sql: Sql
  /** Runs a transaction, or only reads, and gives failures of the storage their code. */
  readonly #work: Reading
  /** By reader: it has read all ledgers to their ends that were noted up to here. In memory: a new process looks at all once. */
  readonly #done = new Map<string, number>()

  constructor(sql: Sql, work: Reading) {
    this.#sql = sql
    this.#work = work
  }

  note(heads: readonly LedgerHead[]): Promise<void> {
    return this.#work(() =>
      this.#sql.transaction(() => {
        for (const head of heads) this.#note(head)
      }),
    )
  }

  correct(noted: LedgerHead, found: LedgerHead): Promise<void> {
    return this.#work(() =>
      this.#sql.transaction(() => {
        const [known] = this.#sql.all<{ seq: number }>(
          "SELECT seq FROM followed_ledgers WHERE issuer = ? AND unit_id = ?",
          noted.issuerUrl,
          noted.unitId,
        )
        if (known?.seq === noted.seq) this.#note(found)
      }),
    )
  }

  register({ name, from }: Pick<Reader, "name" | "from">, now: number): Promise<number> {
    return this.#work(() =>
      this.#sql.transaction(() => {
        const [known] = this.#sql.all<{ since: number }>("SELECT since FROM readers WHERE name = ?", name)
        if (known) return known.since
        this.#sql.run("INSERT INTO readers (name, since) VALUES (?, ?)", name, now)
        if (from === "now") {
          this.#sql.run("INSERT INTO reader_places (reader, ledger, seq) SELECT ?, id, seq FROM followed_ledgers", name)
        }
        return now
      }),
    )
  }

  behind(reader: string, limit: number): Promise<readonly Behind[]> {
    return this.#work(() => {
      const [newest] = this.#sql.all<{ noted: number | null }>("SELECT max(noted) AS noted FROM followed_ledgers")
      const noted = newest?.noted ?? 0
      // Fewer were noted than before: the database was lost.
      const done = Math.min(this.#done.get(reader) ?? 0, noted)
      if (done === noted) return []
      const rows = this.#sql.all<EntryRow & { readonly cursor: number }>(
        `SELECT ${ENTRY}, coalesce(p.seq, 0) AS cursor
         FROM followed_ledgers l LEFT JOIN reader_places p ON p.reader = ? AND p.ledger = l.id
         WHERE l.noted > ? AND l.seq > coalesce(p.seq, 0) ORDER BY l.noted LIMIT ?`,
        reader,
        done,
        limit,
      )
      if (rows.length === 0) this.#done.set(reader, noted)
      return rows.map((row) => ({ ledger: entryOf(row), cursor: row.cursor }))
    })
  }

  move(reader: string, key: LedgerKey, seq: number): Promise<void> {
    return this.#work(() =>
      this.#sql.run(
        `INSERT INTO reader_places (reader, ledger, seq) SELECT ?, id, ? FROM followed_ledgers WHERE issuer = ? AND unit_id = ?
         ON CONFLICT (reader, ledger) DO UPDATE SET seq = excluded.seq`,
        reader,
        seq,
        key.issuerUrl,
        key.unitId,
      ),
    )
  }

  name(key: LedgerKey, { unit, unitKind, owner, ownerId }: LedgerNames): Promise<void> {
    return this.#work(() =>
      this.#sql.run(
        "UPDATE followed_ledgers SET unit = ?, unit_kind = ?, owner = ?, owner_id = ? WHERE issuer = ? AND unit_id = ?",
        unit,
        unitKind,
        owner,
        ownerId,
        key.issuerUrl,
        key.unitId,
      ),
    )
  }

  takenBy(readers: readonly string[], key: LedgerKey): Promise<number> {
    return this.#work(() => {
      const places = readers.map(
        (reader) =>
          this.#sql.all<{ seq: number }>(
            `SELECT p.seq FROM reader_places p JOIN followed_ledgers l ON l.id = p.ledger
             WHERE p.reader = ? AND l.issuer = ? AND l.unit_id = ?`,
            reader,
            key.issuerUrl,
            key.unitId,
          )[0]?.seq ?? 0,
      )
      return places.length === 0 ? 0 : Math.min(...places)
    })
  }

  totals(readers: readonly string[]): Promise<FollowTotals> {
    return this.#work(() => {
      const [all] = this.#sql.all<{ ledgers: number; open: number; latest: number }>(
        `SELECT count(*) AS ledgers, coalesce(sum(open_leases), 0) AS open, coalesce(max(latest_at), 0) AS latest
         FROM followed_ledgers`,
      )
      // Only ledgers that were noted since the reader was last at its end: there may be a hundred thousand others.
      const behind = readers.map((reader) => {
        const [row] = this.#sql.all<{ records: number }>(
          `SELECT coalesce(sum(l.seq - coalesce(p.seq, 0)), 0) AS records
           FROM followed_ledgers l LEFT JOIN reader_places p ON p.reader = ? AND p.ledger = l.id
           WHERE l.noted > ? AND l.seq > coalesce(p.seq, 0)`,
          reader,
          this.#done.get(reader) ?? 0,
        )
        return [reader, row?.records ?? 0] as const
      })
      return {
        ledgers: all?.ledgers ?? 0,
        openLeases: all?.open ?? 0,
        latestAt: all?.latest ?? 0,
        behind: Object.fromEntries(behind),
      }
    })
  }

  list({ after, limit }: { readonly after?: string; readonly limit: number }): Promise<LedgersPage> {
    const from = after === undefined ? 0 : numberOf(after)
    return this.#work(() => {
      const rows = this.#sql.all<EntryRow>(
        `SELECT ${ENTRY} FROM followed_ledgers l WHERE l.id > ? ORDER BY l.id LIMIT ?`,
        from,
        limit + 1,
      )
      const page = rows.slice(0, limit)
      return { ledgers: page.map(entryOf), next: rows.length > limit ? `${page.at(-1)?.id}` : null }
    })
  }

  entry(key: LedgerKey): Promise<LedgerEntry | null> {
    return this.#work(() => {
      const [row] = this.#sql.all<EntryRow>(
        `SELECT ${ENTRY} FROM followed_ledgers l WHERE l.issuer = ? AND l.unit_id = ?`,
        key.issuerUrl,
        key.unitId,
      )
      return row ? entryOf(row) : null
    })
  }

  #note({ issuerUrl, unitId, seq, chain, latestAt, openLeases }: LedgerHead): void {
    const [before] = this.#sql.all<EntryRow>(
      `SELECT ${ENTRY} FROM followed_ledgers l WHERE l.issuer = ? AND l.unit_id = ?`,
      issuerUrl,
      unitId,
    )
    if (before?.seq === seq) {
      // Nothing to read: only what the directory shows.
      const isKnown = before.latest_at === latestAt && before.open_leases === openLeases
      if (isKnown && (before.chain === chain || chain === "")) return
    }
    this.#sql.run(
      `INSERT INTO followed_ledgers (issuer, unit_id, seq, chain, latest_at, open_leases, noted)
       VALUES (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(noted), 0) + 1 FROM followed_ledgers))
       ON CONFLICT (issuer, unit_id) DO UPDATE SET seq = excluded.seq, chain = excluded.chain,
         latest_at = excluded.latest_at, open_leases = excluded.open_leases, noted = excluded.noted`,
      issuerUrl,
      unitId,
      seq,
      chain,
      latestAt,
      openLeases,
    )
    if (before === undefined || seq >= before.seq) return
    this.#sql.run("UPDATE reader_places SET seq = min(seq, ?) WHERE ledger = ?", seq, before.id)
    this.#sql.run("UPDATE followed_ledgers SET indexed = min(indexed, ?) WHERE id = ?", seq, before.id)
  }
}

/** @throws {BrokerError} `request_malformed` */
export function numberOf(cursor: string): number {
  if (/^[0-9]{1,15}$/.test(cursor)) return Number(cursor)
  throw new BrokerError("request_malformed", "after: send the text that the last answer had under next, or none.")
}

import { type ChainLink, chainStart, type Sha256 } from "../../core/audit-chain.ts"
import type { LedgerHead } from "../../ports/directory.ts"
import type { Sql } from "../../ports/sql.ts"
import { OVERDUE_COUNTED_AT_MOST, type Overdue } from "../../ports/sweeping.ts"
import { CLOCK_TOLERANCE_MS } from "../ledger/open-ledger.ts"
import { readCounts } from "../ledger/quotas.ts"
import type { Head, LedgerKey, LedgerRows } from "../ledger/rows.ts"
import { SqliteArchive } from "./sqlite-archive.ts"
import { SqliteLeases } from "./sqlite-leases.ts"
import { SqliteTokens } from "./sqlite-tokens.ts"

type Row = {
  id: number
  seq: number
  chain: string
  due_at: number | null
  latest_at: number
  forgotten_until: number
  quotas: string
}

const COLUMNS = "id, seq, chain, due_at, latest_at, forgotten_until, quotas"

/** The rows of one ledger in any SQLite database. Every method is a statement of its own. */
export class SqliteRows implements LedgerRows {
  readonly head: Head
  readonly tokens: SqliteTokens
  readonly leases: SqliteLeases
  readonly archive: SqliteArchive
  readonly #sql: Sql
  readonly #ledger: number
  #dueAt: number | null

  /** The rows of a ledger; its head is made when it does not exist. */
  static open(sql: Sql, key: LedgerKey, sha256: Sha256): SqliteRows {
    const row = find(sql, key) ?? make(sql, key, sha256)
    if (!row) throw new Error("the ledger's row could not be made")
    return new SqliteRows(sql, row)
  }

  /** The rows of a ledger, or null when nothing was ever written to it. */
  static find(sql: Sql, key: LedgerKey): SqliteRows | null {
    const row = find(sql, key)
    return row ? new SqliteRows(sql, row) : null
  }

  private constructor(sql: Sql, row: Row) {
    this.#sql = sql
    this.#ledger = row.id
    this.#dueAt = row.due_at
    this.head = {
      seq: row.seq,
      chain: row.chain,
      dueAt: row.due_at,
      latestAt: row.latest_at,
      forgottenUntil: row.forgotten_until,
      quotas: row.quotas,
    }
    this.tokens = new SqliteTokens(sql, row.id)
    this.leases = new SqliteLeases(sql, row.id)
    this.archive = new SqliteArchive(sql, row.id)
  }

  append(seq: number, { text, leaf, chain }: ChainLink): void {
    this.#sql.run(
      "INSERT INTO audit (ledger, seq, record, leaf, chain) VALUES (?, ?, ?, ?, ?)",
      this.#ledger,
      seq,
      text,
      leaf,
      chain,
    )
  }

  save(head: Head): void {
    this.#sql.run(
      "UPDATE ledgers SET seq = ?, chain = ?, latest_at = ?, forgotten_until = ?, quotas = ? WHERE id = ?",
      head.seq,
      head.chain,
      head.latestAt,
      head.forgottenUntil,
      head.quotas,
      this.#ledger,
    )
    // It has an index, which SQLite writes anew for each statement that names it.
    if (head.dueAt === this.#dueAt) return
    this.#sql.run("UPDATE ledgers SET due_at = ? WHERE id = ?", head.dueAt, this.#ledger)
    this.#dueAt = head.dueAt
  }
}

/** Ledgers with something due at `now` (Unix milliseconds), those due earliest first. */
export function dueLedgers(sql: Sql, now: number, limit: number): readonly LedgerKey[] {
  return sql
    .all<{ issuer: string; repository_id: string }>(
      "SELECT issuer, repository_id FROM ledgers WHERE due_at <= ? ORDER BY due_at LIMIT ?",
      now,
      limit,
    )
    .map(keyOf)
}

/**
 * The heads of ledgers with records after a row of the table of all records, and that table's last row; of all ledgers for the
 * row 0. SQLite numbers rows upwards, so what is new is found without an index of its own. A table that is shorter than it was
 * is read anew.
 */
export function headsAfter(sql: Sql, row: number): { readonly heads: readonly LedgerHead[]; readonly row: number } {
  const [newest] = sql.all<{ row: number | null }>("SELECT max(rowid) AS row FROM audit")
  const last = newest?.row ?? 0
  if (last === row) return { heads: [], row }
  const rows =
    row === 0 || last < row
      ? sql.all<HeadRow>(`SELECT ${HEAD} FROM ledgers`)
      : sql.all<HeadRow>(`SELECT ${HEAD} FROM ledgers WHERE id IN (SELECT ledger FROM audit WHERE rowid > ?)`, row)
  const heads = rows.map((head) => ({
    ...keyOf(head),
    seq: head.seq,
    chain: head.chain,
    latestAt: head.latest_at,
    openLeases: readCounts(head.quotas).openLeases,
  }))
  return { heads, row: last }
}

const HEAD = "issuer, repository_id, seq, chain, latest_at, quotas"

type HeadRow = {
  readonly issuer: string
  readonly repository_id: string
  readonly seq: number
  readonly chain: string
  readonly latest_at: number
  readonly quotas: string
}

/**
 * Makes ledgers due that have seen a much later time than `now` (Unix milliseconds): a clock was ahead. What they tried at
 * that time waits for it to come again, unless they are visited. Reads all ledgers, so it is for a clock that was set back.
 */
export function makeDueThatAreAhead(sql: Sql, now: number): void {
  sql.run("UPDATE ledgers SET due_at = ? WHERE latest_at > ? AND due_at > ?", now, now + CLOCK_TOLERANCE_MS, now)
}

/**
 * Leases of all ledgers that are overdue at `now` (Unix milliseconds). Reads only ledgers that are due, those due earliest first.
 */
export function overdueLeases(sql: Sql, now: number): Overdue {
  const [row] = sql.all<{ leases: number; since: number | null }>(
    `SELECT count(*) AS leases, min(due) AS since FROM (
       SELECT lease.due_at AS due FROM ledgers AS ledger CROSS JOIN leases AS lease ON lease.ledger = ledger.id
       WHERE ledger.due_at <= ? AND lease.due_at <= ? AND lease.state IN ('open', 'active', 'revoking') LIMIT ?
     )`,
    now,
    now,
    OVERDUE_COUNTED_AT_MOST,
  )
  return { leases: row?.leases ?? 0, since: row?.since ?? null }
}

const keyOf = (row: { readonly issuer: string; readonly repository_id: string }): LedgerKey => ({
  issuerUrl: row.issuer,
  unitId: row.repository_id,
})

function find(sql: Sql, key: LedgerKey): Row | undefined {
  return sql.all<Row>(
    `SELECT ${COLUMNS} FROM ledgers WHERE issuer = ? AND repository_id = ?`,
    key.issuerUrl,
    key.unitId,
  )[0]
}

function make(sql: Sql, key: LedgerKey, sha256: Sha256): Row | undefined {
  return sql.all<Row>(
    `INSERT INTO ledgers (issuer, repository_id, seq, chain) VALUES (?, ?, 0, ?) RETURNING ${COLUMNS}`,
    key.issuerUrl,
    key.unitId,
    chainStart({ issuer: key.issuerUrl, unit_id: key.unitId }, sha256),
  )[0]
}

import type { LeaseCredentialState } from "../../ports/ledger.ts"
import type { Sql } from "../../ports/sql.ts"
import type { Revocation } from "../../wire/exchange.ts"
import { type LeaseRow, leaseOf } from "../ledger/lease-row.ts"
import type { Lease } from "../ledger/lease-states.ts"
import { type LeaseRows, type StoredLease, writeCredentials } from "../ledger/rows.ts"

/** Null: the credentials are still in the table of their own. */
type Row = Omit<LeaseRow, "credentials"> & { readonly credentials: string | null }

type OldCredentialRow = {
  grant_name: string
  connection: string
  provider: string
  revocation: Revocation
  expires_at: number | null
  granted_until: number | null
  sealed_handle: string | null
  ended: "revoked" | "expired" | "expires-only" | null
}

const COLUMNS =
  "id, run_id, run_attempt, state, ends_by, over_since, due_at, tried_at, attempts, unknown_until, credentials"

/** Reads and writes the leases of one ledger. */
export class SqliteLeases implements LeaseRows {
  readonly #sql: Sql
  readonly #ledger: number

  constructor(sql: Sql, ledger: number) {
    this.#sql = sql
    this.#ledger = ledger
  }

  has(id: string): boolean {
    return this.#sql.all("SELECT 1 AS one FROM leases WHERE ledger = ? AND id = ?", this.#ledger, id).length === 1
  }

  find(id: string): StoredLease | null {
    const [row] = this.#sql.all<Row>(`SELECT ${COLUMNS} FROM leases WHERE ledger = ? AND id = ?`, this.#ledger, id)
    return row ? this.#read(row) : null
  }

  add(lease: StoredLease, limitedGrants: readonly string[]): void {
    this.#sql.run(
      `INSERT INTO leases (ledger, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      this.#ledger,
      lease.id,
      lease.runId,
      lease.runAttempt,
      lease.state,
      lease.endsBy,
      lease.overSince,
      lease.dueAt,
      lease.triedAt,
      lease.attempts,
      lease.unknownUntil,
      writeCredentials(lease.credentials),
    )
    const limit = "INSERT INTO limited_grants (ledger, lease, grant_key) VALUES (?, ?, ?)"
    for (const key of limitedGrants) this.#sql.run(limit, this.#ledger, lease.id, key)
  }

  write(before: StoredLease, after: Lease): void {
    this.#sql.run(
      `UPDATE leases SET state = ?, over_since = ?, due_at = ?, tried_at = ?, attempts = ?, unknown_until = ?
       WHERE ledger = ? AND id = ?`,
      after.state,
      after.overSince,
      after.dueAt,
      after.triedAt,
      after.attempts,
      after.unknownUntil,
      this.#ledger,
      before.id,
    )
    if (after.credentials === before.credentials) return
    this.#sql.run(
      "UPDATE leases SET credentials = ? WHERE ledger = ? AND id = ?",
      writeCredentials(after.credentials),
      this.#ledger,
      before.id,
    )
    if (isOld(before)) this.#forgetOld(before.id)
  }

  openOf(grantKey: string): number {
    const [row] = this.#sql.all<{ open: number }>(
      "SELECT count(*) AS open FROM limited_grants WHERE ledger = ? AND grant_key = ?",
      this.#ledger,
      grantKey,
    )
    return row?.open ?? 0
  }

  releaseLimited(id: string): void {
    this.#sql.run("DELETE FROM limited_grants WHERE ledger = ? AND lease = ?", this.#ledger, id)
  }

  due(now: number, limit: number): readonly StoredLease[] {
    const rows = this.#sql.all<Row>(
      `SELECT ${COLUMNS} FROM leases
       WHERE ledger = ? AND due_at <= ? AND state IN ('open', 'active', 'revoking') ORDER BY due_at LIMIT ?`,
      this.#ledger,
      now,
      limit,
    )
    return rows.map((row) => this.#read(row))
  }

  notClosed(after: string, limit: number): readonly StoredLease[] {
    const rows = this.#sql.all<Row>(
      `SELECT ${COLUMNS} FROM leases
       WHERE ledger = ? AND id > ? AND state IN ('open', 'active', 'revoking') ORDER BY id LIMIT ?`,
      this.#ledger,
      after,
      limit,
    )
    return rows.map((row) => this.#read(row))
  }

  earliestDue(): number | null {
    const [lease] = this.#sql.all<{ due: number | null }>(
      "SELECT min(due_at) AS due FROM leases WHERE ledger = ?",
      this.#ledger,
    )
    return lease?.due ?? null
  }

  healFuture(now: number): void {
    this.#sql.run(
      "UPDATE leases SET due_at = ?, tried_at = ? WHERE ledger = ? AND state = 'revoking' AND tried_at > ?",
      now,
      now - 1,
      this.#ledger,
      now,
    )
  }

  forgetClosed(now: number, atMost: number): void {
    const old = `SELECT ledger, id FROM leases WHERE ledger = ? AND due_at <= ?
      AND state NOT IN ('open', 'active', 'revoking') ORDER BY due_at LIMIT ?`
    this.#sql.run(`DELETE FROM credentials WHERE (ledger, lease) IN (${old})`, this.#ledger, now, atMost)
    this.#sql.run(`DELETE FROM leases WHERE (ledger, id) IN (${old})`, this.#ledger, now, atMost)
  }

  #read({ credentials, ...row }: Row): StoredLease {
    if (credentials !== null) return leaseOf({ ...row, credentials })
    const lease = leaseOf({ ...row, credentials: "[]" })
    const old: OldLease = { ...lease, credentials: this.#oldCredentials(row.id), [OLD]: true }
    return old
  }

  /** Before schema version 5, credentials had a table of their own. A lease's move into its row with its next change. */
  #oldCredentials(lease: string): readonly LeaseCredentialState[] {
    const rows = this.#sql.all<OldCredentialRow>(
      `SELECT grant_name, connection, provider, revocation, expires_at, granted_until, sealed_handle, ended
       FROM credentials WHERE ledger = ? AND lease = ? ORDER BY grant_name`,
      this.#ledger,
      lease,
    )
    return rows.map((row) => ({
      grant: row.grant_name,
      connection: row.connection,
      provider: row.provider,
      revocation: row.revocation,
      expiresAt: row.expires_at,
      grantedUntil: row.granted_until,
      sealedHandle: row.sealed_handle,
      ended: row.ended,
    }))
  }

  #forgetOld(lease: string): void {
    this.#sql.run("DELETE FROM credentials WHERE ledger = ? AND lease = ?", this.#ledger, lease)
  }
}

const OLD = Symbol("old")
/** A lease whose credentials are in the old table. */
type OldLease = StoredLease & { readonly [OLD]: true }
const isOld = (lease: StoredLease): boolean => OLD in lease

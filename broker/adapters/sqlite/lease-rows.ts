import { BrokerError } from "../../core/errors.ts"
import type { LeaseCredential, LeaseCredentialState, LeaseOpening } from "../../ports/ledger.ts"
import type { Sql } from "../../ports/sql.ts"
import type { Revocation } from "../../wire/exchange.ts"
import type { Lease, LeaseState } from "./lease-states.ts"

/** A lease as stored in the tables. */
export interface StoredLease extends Lease {
  readonly id: string
  readonly runId: string
  readonly runAttempt: string
}

type LeaseRow = {
  id: string
  run_id: string
  run_attempt: string
  state: LeaseState
  ends_by: number
  over_since: number | null
  due_at: number
  tried_at: number | null
  attempts: number
  unknown_until: number
}

type CredentialRow = {
  grant_name: string
  connection: string
  provider: string
  revocation: Revocation
  expires_at: number | null
  granted_until: number | null
  sealed_handle: string | null
  ended: "revoked" | "expired" | "expires-only" | null
}

const LEASE_COLUMNS = "id, run_id, run_attempt, state, ends_by, over_since, due_at, tried_at, attempts, unknown_until"
const CREDENTIAL_COLUMNS =
  "grant_name, connection, provider, revocation, expires_at, granted_until, sealed_handle, ended"

/** More than a unit can open in the time between two sweeps. */
const FORGET_AT_MOST = 500

/** Reads and writes the leases of one ledger. `lease-states.ts` decides how a lease may change. */
export class LeaseRows {
  readonly #sql: Sql
  readonly #ledger: number

  constructor(sql: Sql, ledger: number) {
    this.#sql = sql
    this.#ledger = ledger
  }

  open(lease: LeaseOpening): void {
    this.#sql.run(
      `INSERT INTO leases (ledger, ${LEASE_COLUMNS}) VALUES (?, ?, ?, ?, 'open', ?, NULL, ?, NULL, 0, ?)`,
      this.#ledger,
      lease.id,
      lease.runId,
      lease.runAttempt,
      lease.endsBy,
      lease.settleBy,
      lease.unknownUntil,
    )
    const limit = "INSERT INTO limited_grants (ledger, lease, grant_key) VALUES (?, ?, ?)"
    for (const { key } of lease.limited) this.#sql.run(limit, this.#ledger, lease.id, key)
  }

  /** How many open leases have this grant, of those that limit them. */
  openOf(grantKey: string): number {
    const [row] = this.#sql.all<{ open: number }>(
      "SELECT count(*) AS open FROM limited_grants WHERE ledger = ? AND grant_key = ?",
      this.#ledger,
      grantKey,
    )
    return row?.open ?? 0
  }

  has(id: string): boolean {
    return this.#sql.all("SELECT 1 AS one FROM leases WHERE ledger = ? AND id = ?", this.#ledger, id).length === 1
  }

  find(id: string): StoredLease | null {
    const [row] = this.#sql.all<LeaseRow>(
      `SELECT ${LEASE_COLUMNS} FROM leases WHERE ledger = ? AND id = ?`,
      this.#ledger,
      id,
    )
    return row ? this.#read(row) : null
  }

  /** @throws {BrokerError} `internal` when the lease does not exist; the caller must know that it does */
  get(id: string): StoredLease {
    const lease = this.find(id)
    if (!lease) throw new BrokerError("internal", "the ledger has no such lease")
    return lease
  }

  /** Not those that are closed. */
  due(now: number, limit: number): readonly StoredLease[] {
    const rows = this.#sql.all<LeaseRow>(
      `SELECT ${LEASE_COLUMNS} FROM leases
       WHERE ledger = ? AND due_at <= ? AND state IN ('open', 'active', 'revoking') ORDER BY due_at LIMIT ?`,
      this.#ledger,
      now,
      limit,
    )
    return rows.map((row) => this.#read(row))
  }

  /** Writes the differences between `before` and `after`. */
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
    const known = new Set(before.credentials)
    const grants = new Set(before.credentials.map((credential) => credential.grant))
    for (const credential of after.credentials) {
      if (known.has(credential)) continue
      if (grants.has(credential.grant)) this.#endCredential(before.id, credential)
      else this.#addCredential(before.id, credential)
    }
  }

  /** Deletes what was prepared for an exchange: its outcome replaces it. */
  dropPrepared(lease: StoredLease): StoredLease {
    if (lease.credentials.length === 0) return lease
    this.#sql.run("DELETE FROM credentials WHERE ledger = ? AND lease = ?", this.#ledger, lease.id)
    return { ...lease, credentials: [] }
  }

  /** A lease no longer counts for the limits of its grants. */
  releaseLimited(id: string): void {
    this.#sql.run("DELETE FROM limited_grants WHERE ledger = ? AND lease = ?", this.#ledger, id)
  }

  /** Makes revocations due that were tried by a clock that was ahead: they would wait until that time comes again. */
  healFuture(now: number): void {
    this.#sql.run(
      "UPDATE leases SET due_at = ?, tried_at = ? WHERE ledger = ? AND state = 'revoking' AND tried_at > ?",
      now,
      now - 1,
      this.#ledger,
      now,
    )
  }

  /** Deletes closed leases that are due, the oldest first. */
  forgetClosed(now: number): void {
    const old = `SELECT ledger, id FROM leases WHERE ledger = ? AND due_at <= ?
      AND state NOT IN ('open', 'active', 'revoking') ORDER BY due_at LIMIT ${FORGET_AT_MOST}`
    this.#sql.run(`DELETE FROM credentials WHERE (ledger, lease) IN (${old})`, this.#ledger, now)
    this.#sql.run(`DELETE FROM leases WHERE (ledger, id) IN (${old})`, this.#ledger, now)
  }

  #endCredential(lease: string, credential: LeaseCredentialState): void {
    this.#sql.run(
      "UPDATE credentials SET ended = ?, sealed_handle = ? WHERE ledger = ? AND lease = ? AND grant_name = ?",
      credential.ended,
      credential.sealedHandle,
      this.#ledger,
      lease,
      credential.grant,
    )
  }

  #addCredential(lease: string, credential: LeaseCredentialState): void {
    this.#sql.run(
      `INSERT INTO credentials (ledger, lease, ${CREDENTIAL_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      this.#ledger,
      lease,
      credential.grant,
      credential.connection,
      credential.provider,
      credential.revocation,
      credential.expiresAt,
      credential.grantedUntil,
      credential.sealedHandle,
      credential.ended,
    )
  }

  #read(row: LeaseRow): StoredLease {
    return {
      id: row.id,
      runId: row.run_id,
      runAttempt: row.run_attempt,
      state: row.state,
      endsBy: row.ends_by,
      overSince: row.over_since,
      dueAt: row.due_at,
      triedAt: row.tried_at,
      attempts: row.attempts,
      unknownUntil: row.unknown_until,
      credentials: this.#credentials(row.id),
    }
  }

  #credentials(lease: string): readonly LeaseCredentialState[] {
    const rows = this.#sql.all<CredentialRow>(
      `SELECT ${CREDENTIAL_COLUMNS} FROM credentials WHERE ledger = ? AND lease = ? ORDER BY grant_name`,
      this.#ledger,
      lease,
    )
    return rows.map(readCredential)
  }
}

/** A newly minted credential, without a known end. Copies only the stored members. */
export function alive(credential: LeaseCredential): LeaseCredentialState {
  return {
    grant: credential.grant,
    connection: credential.connection,
    provider: credential.provider,
    revocation: credential.revocation,
    expiresAt: credential.expiresAt,
    grantedUntil: credential.grantedUntil,
    sealedHandle: credential.sealedHandle,
    ended: null,
  }
}

function readCredential(row: CredentialRow): LeaseCredentialState {
  return {
    grant: row.grant_name,
    connection: row.connection,
    provider: row.provider,
    revocation: row.revocation,
    expiresAt: row.expires_at,
    grantedUntil: row.granted_until,
    sealedHandle: row.sealed_handle,
    ended: row.ended,
  }
}

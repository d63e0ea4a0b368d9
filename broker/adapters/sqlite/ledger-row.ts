import { chainRecord, chainStart } from "../../core/audit-chain.ts"
import type { AuditDraft } from "../../core/audit-record.ts"
import { BrokerError } from "../../core/errors.ts"
import type { TokenUse } from "../../ports/ledger.ts"
import type { Sql } from "../../ports/sql.ts"

/** Identifies a ledger. */
export interface LedgerKey {
  readonly issuerUrl: string
  readonly repositoryId: string
}

type Row = { id: number; seq: number; chain: string; due_at: number | null }

/**
 * How long an expired token is remembered, in seconds. So one visit deletes many entries. And after a clock was set back,
 * or on a machine with another clock, a token that the ledger has forgotten cannot be valid again.
 */
const FORGET_AFTER_SECONDS = 3600
const FORGET_AT_MOST = 1000

/**
 * One ledger's row during a transaction: the end of its chain, and when it is due. It is read once and written once. It is
 * never kept after the transaction, because a rollback would leave it wrong.
 */
export class LedgerRow {
  readonly id: number
  readonly #sql: Sql
  #seq: number
  #chain: string
  #dueAt: number | null

  /** The ledger's row; it is created when it does not exist. */
  static open(sql: Sql, key: LedgerKey): LedgerRow {
    const row = find(sql, key) ?? make(sql, key)
    if (!row) throw new Error("the ledger's row could not be made")
    return new LedgerRow(sql, row)
  }

  /** The ledger's row, or null when nothing was ever written to it. */
  static find(sql: Sql, key: LedgerKey): LedgerRow | null {
    const row = find(sql, key)
    return row ? new LedgerRow(sql, row) : null
  }

  private constructor(sql: Sql, row: Row) {
    this.id = row.id
    this.#sql = sql
    this.#seq = row.seq
    this.#chain = row.chain
    this.#dueAt = row.due_at
  }

  get dueAt(): number | null {
    return this.#dueAt
  }

  /** Appends a record to the chain. */
  append(draft: AuditDraft): void {
    const seq = this.#seq + 1
    const link = chainRecord(this.#chain, { ...draft, seq })
    if (!link.ok) throw new BrokerError("internal", `an audit record cannot be written: ${link.fault}`)
    const { text, leaf, chain } = link.value
    this.#sql.run(
      "INSERT INTO audit (ledger, seq, record, leaf, chain) VALUES (?, ?, ?, ?, ?)",
      this.id,
      seq,
      text,
      leaf,
      chain,
    )
    this.#seq = seq
    this.#chain = chain
  }

  /**
   * Uses up a token. Returns false when it was used before, and then records `replay`, once for each token.
   *
   * Inserts first and checks the result: two calls could both pass a check before the insert.
   */
  useToken(token: TokenUse, replay: AuditDraft): boolean {
    const inserted = this.#sql.all(
      "INSERT INTO used_tokens (ledger, key, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1 AS used",
      this.id,
      token.key,
      token.expiresAt,
    )
    if (inserted.length === 1) {
      this.dueBy((token.expiresAt + FORGET_AFTER_SECONDS) * 1000)
      return true
    }
    const first = this.#sql.all(
      "UPDATE used_tokens SET replay_recorded = 1 WHERE ledger = ? AND key = ? AND replay_recorded = 0 RETURNING 1 AS first",
      this.id,
      token.key,
    )
    if (first.length === 1) this.append(replay)
    return false
  }

  /** Deletes the entries of tokens that are no longer valid at `now` (Unix milliseconds), oldest first. */
  forgetDeadTokens(now: number): void {
    this.#sql.run(
      `DELETE FROM used_tokens WHERE (ledger, key) IN (
        SELECT ledger, key FROM used_tokens WHERE ledger = ? AND expires_at < ? ORDER BY expires_at LIMIT ?
      )`,
      this.id,
      Math.floor(now / 1000) - FORGET_AFTER_SECONDS,
      FORGET_AT_MOST,
    )
  }

  /** Makes the ledger due at `time`, unless it is due earlier. */
  dueBy(time: number): void {
    if (this.#dueAt === null || time < this.#dueAt) this.#dueAt = time
  }

  /** Finds out when the ledger is due next. */
  findDue(): void {
    const [lease] = this.#sql.all<{ due: number | null }>(
      "SELECT min(due_at) AS due FROM leases WHERE ledger = ?",
      this.id,
    )
    const [token] = this.#sql.all<{ due: number | null }>(
      "SELECT min(expires_at) AS due FROM used_tokens WHERE ledger = ?",
      this.id,
    )
    this.#dueAt = lease?.due ?? null
    if (token?.due != null) this.dueBy((token.due + FORGET_AFTER_SECONDS) * 1000)
  }

  /** Writes the row. The last statement of every transaction that changed it. */
  save(): void {
    this.#sql.run(
      "UPDATE ledgers SET seq = ?, chain = ?, due_at = ? WHERE id = ?",
      this.#seq,
      this.#chain,
      this.#dueAt,
      this.id,
    )
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
    .map(({ issuer, repository_id }) => ({ issuerUrl: issuer, repositoryId: repository_id }))
}

function find(sql: Sql, key: LedgerKey): Row | undefined {
  return sql.all<Row>(
    "SELECT id, seq, chain, due_at FROM ledgers WHERE issuer = ? AND repository_id = ?",
    key.issuerUrl,
    key.repositoryId,
  )[0]
}

function make(sql: Sql, key: LedgerKey): Row | undefined {
  return sql.all<Row>(
    "INSERT INTO ledgers (issuer, repository_id, seq, chain) VALUES (?, ?, 0, ?) RETURNING id, seq, chain, due_at",
    key.issuerUrl,
    key.repositoryId,
    chainStart({ issuer: key.issuerUrl, repository_id: key.repositoryId }),
  )[0]
}

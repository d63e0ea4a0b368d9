import { chainRecord, chainStart } from "../../core/audit-chain.ts"
import type { AuditDraft } from "../../core/audit-record.ts"
import { BrokerError } from "../../core/errors.ts"
import type { TokenUse } from "../../ports/ledger.ts"
import type { Sql } from "../../ports/sql.ts"

/** Whose ledger it is. */
export interface LedgerKey {
  readonly issuerUrl: string
  readonly repositoryId: string
}

type Row = { id: number; seq: number; chain: string; due_at: number | null }

/**
 * How long a dead token is remembered beyond its time, in seconds: so that one visit forgets many, and so that a clock that
 * is set back, or that of another machine, does not find a token alive that the ledger has forgotten.
 */
const FORGET_AFTER_SECONDS = 3600
const FORGET_AT_MOST = 1000

/**
 * One ledger's row while a transaction runs: where its chain stands and when it is due. Read once, written back once;
 * never kept longer, for a transaction that is undone would leave it wrong.
 */
export class LedgerRow {
  readonly id: number
  readonly #sql: Sql
  #seq: number
  #chain: string
  #dueAt: number | null

  /** The ledger's row, made when there is none. */
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
   * Uses a token up; false when it was used before, and then `replay` is recorded, once a token.
   *
   * Inserts first and looks at what was inserted: a check before the insert could be true for two.
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

  /** Forgets tokens that could not verify any more at `now` (Unix milliseconds), oldest first. */
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

  /** Something of this ledger is due at `time`, perhaps not before anything else. */
  dueBy(time: number): void {
    if (this.#dueAt === null || time < this.#dueAt) this.#dueAt = time
  }

  /** Looks up when anything of this ledger is due next. */
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

  /** Writes the row back. The last thing of every transaction that changed it. */
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

/** Ledgers with something due at `now` (Unix milliseconds), longest due first. */
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

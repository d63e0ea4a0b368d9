import { chainRecord, chainStart } from "../../core/audit-chain.ts"
import type { AuditDraft, AuditEvent } from "../../core/audit-record.ts"
import { BrokerError } from "../../core/errors.ts"
import type { Limits } from "../../core/policy/limits.ts"
import type { TokenUse } from "../../ports/ledger.ts"
import type { Sql } from "../../ports/sql.ts"
import { type Counts, hourEnds, readCounts, turned, writeCounts } from "./quotas.ts"
import { readStore } from "./store-row.ts"

/** Identifies a ledger. */
export interface LedgerKey {
  readonly issuerUrl: string
  readonly repositoryId: string
}

/** The request id in records of what the broker did by itself. */
const SWEEPER = "sweeper"

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

/**
 * How long an expired token is remembered, in seconds. So one visit deletes many entries. And after a clock was set back,
 * or on a machine with another clock, a token that the ledger has forgotten cannot be valid again.
 */
const FORGET_AFTER_SECONDS = 3600
const FORGET_AT_MOST = 1000
/** Clocks of several machines that take turns at one ledger differ by seconds. */
const CLOCK_TOLERANCE_MS = 5 * 60_000

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
  #latestAt: number
  #forgottenUntil: number
  #counts: Counts

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
    this.#latestAt = row.latest_at
    this.#forgottenUntil = row.forgotten_until
    this.#counts = readCounts(row.quotas)
  }

  get counts(): Counts {
    return this.#counts
  }

  /** Replaces the counts. */
  count(changes: Partial<Counts>): void {
    this.#counts = { ...this.#counts, ...changes }
  }

  /**
   * Notes the time of this transaction (Unix milliseconds), and records the denials of an hour that is over. `behind`: the
   * ledger has seen a much later time, so a clock was or is wrong.
   */
  observe(now: number): "in-order" | "behind" {
    const order = now < this.#latestAt - CLOCK_TOLERANCE_MS ? "behind" : "in-order"
    this.#latestAt = Math.max(this.#latestAt, now)
    const { counts, ended } = turned(this.#counts, now)
    this.#counts = counts
    if (ended === null) return order
    const from = new Date(ended.from).toISOString()
    this.append(
      brokersOwn(
        "denials.counted",
        now,
        `${ended.denials} further denials in the hour from ${from} have no record of their own`,
      ),
    )
    return order
  }

  /** Whether further denials of this hour have no record of their own: no job may fill the storage of all. */
  isOverDenials({ denialsPerHour }: Limits): boolean {
    return this.#counts.denials >= denialsPerHour.max
  }

  /** Counts a denial without a record. The count is recorded when the hour is over. */
  countDenial(): void {
    this.count({ counted: this.#counts.counted + 1 })
    const hour = hourEnds(this.#counts)
    if (hour !== null) this.dueBy(hour)
  }

  /** Records a denial, or only counts it when it is beyond the limit. */
  recordDenial(denial: AuditDraft, limits: Limits): void {
    if (this.isOverDenials(limits)) {
      this.countDenial()
    } else {
      this.count({ denials: this.#counts.denials + 1 })
      this.append(denial)
    }
  }

  /** Records, once an hour, that a limit was reached. */
  tellOnce(name: string, audit: AuditDraft, limits: Limits): void {
    if (this.#counts.told.includes(name)) return
    this.count({ told: [...this.#counts.told, name] })
    this.recordDenial(audit, limits)
  }

  /**
   * Whether the ledger cannot know if a token was used. Either the database was restored, and the token is older than that;
   * or a clock that was ahead made the ledger forget tokens that end later than this one.
   */
  isTooOld(token: TokenUse): boolean {
    return token.issuedAt < readStore(this.#sql).acceptFrom || token.expiresAt <= this.#forgottenUntil
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

  /** Marks a token with an event, without using it up. Returns false when it has the mark already. */
  markOnce(event: AuditEvent, token: TokenUse): boolean {
    return this.#insertToken(`${event} ${token.key}`, token.expiresAt)
  }

  /**
   * Uses up a token. Returns false when it was used before, and then records `replay`, once for each token.
   *
   * Inserts first and checks the result: two calls could both pass a check before the insert.
   */
  useToken(token: TokenUse, replay: AuditDraft): boolean {
    if (this.#insertToken(token.key, token.expiresAt)) return true
    const first = this.#sql.all(
      "UPDATE used_tokens SET replay_recorded = 1 WHERE ledger = ? AND key = ? AND replay_recorded = 0 RETURNING 1 AS first",
      this.id,
      token.key,
    )
    if (first.length === 1) this.append(replay)
    return false
  }

  /** Returns false, and changes nothing, when the key is there already. */
  #insertToken(key: string, expiresAt: number): boolean {
    const inserted = this.#sql.all(
      "INSERT INTO used_tokens (ledger, key, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1 AS used",
      this.id,
      key,
      expiresAt,
    )
    if (inserted.length !== 1) return false
    this.dueBy((expiresAt + FORGET_AFTER_SECONDS) * 1000)
    return true
  }

  /**
   * Deletes the entries of tokens that are no longer valid at `now` (Unix milliseconds), oldest first. Keeps the latest end
   * of a deleted entry, because `now` can come from a clock that is ahead.
   */
  forgetDeadTokens(now: number): void {
    const forgotten = this.#sql.all<{ expires_at: number }>(
      `DELETE FROM used_tokens WHERE (ledger, key) IN (
        SELECT ledger, key FROM used_tokens WHERE ledger = ? AND expires_at < ? ORDER BY expires_at LIMIT ?
      ) RETURNING expires_at`,
      this.id,
      Math.floor(now / 1000) - FORGET_AFTER_SECONDS,
      FORGET_AT_MOST,
    )
    for (const { expires_at: end } of forgotten) this.#forgottenUntil = Math.max(this.#forgottenUntil, end)
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
    const hour = hourEnds(this.#counts)
    if (hour !== null) this.dueBy(hour)
  }

  /** Writes the row. The last statement of every transaction that changed it. */
  save(): void {
    this.#sql.run(
      `UPDATE ledgers SET seq = ?, chain = ?, due_at = ?, latest_at = ?, forgotten_until = ?, quotas = ? WHERE id = ?`,
      this.#seq,
      this.#chain,
      this.#dueAt,
      this.#latestAt,
      this.#forgottenUntil,
      writeCounts(this.#counts),
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
    `SELECT ${COLUMNS} FROM ledgers WHERE issuer = ? AND repository_id = ?`,
    key.issuerUrl,
    key.repositoryId,
  )[0]
}

function make(sql: Sql, key: LedgerKey): Row | undefined {
  return sql.all<Row>(
    `INSERT INTO ledgers (issuer, repository_id, seq, chain) VALUES (?, ?, 0, ?) RETURNING ${COLUMNS}`,
    key.issuerUrl,
    key.repositoryId,
    chainStart({ issuer: key.issuerUrl, repository_id: key.repositoryId }),
  )[0]
}

/** A record of what the broker did by itself. */
export function brokersOwn(event: AuditEvent, now: number, reason: string, lease: string | null = null): AuditDraft {
  return {
    at: new Date(now).toISOString(),
    request_id: SWEEPER,
    event,
    identity: null,
    token_digest: null,
    lease,
    grants: [],
    decision: null,
    reason,
    policy_version: null,
    client_address: null,
  }
}

import { chainRecord, chainStart } from "../../core/audit-chain.ts"
import { type AuditDraft, type AuditEvent, brokersDraft } from "../../core/audit-record.ts"
import { BrokerError } from "../../core/errors.ts"
import type { Limits } from "../../core/policy/limits.ts"
import type { Sql } from "../../ports/sql.ts"
import type { TokenUse } from "../../ports/token-use.ts"
import { type Counts, hourEnds, readCounts, turned, writeCounts } from "./quotas.ts"
import { forgottenAt, type TokenOutcome, UsedTokens } from "./used-tokens.ts"

/** Identifies a ledger. */
export interface LedgerKey {
  readonly issuerUrl: string
  readonly unitId: string
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

/** Clocks of several machines that take turns at one ledger differ by seconds. */
const CLOCK_TOLERANCE_MS = 5 * 60_000

/**
 * One ledger's row during a transaction: the end of its chain, and when it is due. It is read once and written once. It is
 * never kept after the transaction, because a rollback would leave it wrong.
 */
export class LedgerRow {
  readonly id: number
  readonly tokens: UsedTokens
  readonly #sql: Sql
  #seq: number
  #chain: string
  #dueAt: number | null
  #latestAt: number
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
    this.tokens = new UsedTokens(sql, row.id, row.forgotten_until)
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

  /** Records a denial; beyond the limit, only counts it. Null is for a call that did nothing but use up a token, a row. */
  recordDenial(denial: AuditDraft | null, limits: Limits): void {
    if (this.isOverDenials(limits)) {
      this.countDenial()
    } else {
      this.count({ denials: this.#counts.denials + 1 })
      if (denial) this.append(denial)
    }
  }

  /** Records, once an hour, that a limit was reached. */
  tellOnce(name: string, audit: AuditDraft, limits: Limits): void {
    if (this.#counts.told.includes(name)) return
    this.count({ told: [...this.#counts.told, name] })
    this.recordDenial(audit, limits)
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

  /** Uses a token. Records `replay` once for each token that was used before, and counts a denial for one that is used up. */
  useToken(token: TokenUse, replay: AuditDraft, limits: Limits, endsSomething = false): TokenOutcome {
    const outcome = this.tokens.use(token, endsSomething)
    if (outcome === "used") this.dueBy(forgottenAt(token.expiresAt))
    else if (outcome === "used-up") this.countDenial()
    else if (this.tokens.isFirstReplay(token)) this.recordDenial(replay, limits)
    return outcome
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
    this.#dueAt = lease?.due ?? null
    const forgotten = this.tokens.nextForgotten()
    if (forgotten !== null) this.dueBy(forgotten)
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
      this.tokens.forgottenUntil,
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
    .map(({ issuer, repository_id }) => ({ issuerUrl: issuer, unitId: repository_id }))
}

/**
 * Ledgers that have seen a much later time than `now` (Unix milliseconds): a clock was ahead. What they tried at that time
 * waits for it to come again, unless they are visited. Reads all ledgers, so it is asked only after a clock was set back.
 */
export function ledgersAhead(sql: Sql, now: number, limit: number): readonly LedgerKey[] {
  return sql
    .all<{ issuer: string; repository_id: string }>(
      "SELECT issuer, repository_id FROM ledgers WHERE latest_at > ? AND due_at IS NOT NULL LIMIT ?",
      now + CLOCK_TOLERANCE_MS,
      limit,
    )
    .map(({ issuer, repository_id }) => ({ issuerUrl: issuer, unitId: repository_id }))
}

function find(sql: Sql, key: LedgerKey): Row | undefined {
  return sql.all<Row>(
    `SELECT ${COLUMNS} FROM ledgers WHERE issuer = ? AND repository_id = ?`,
    key.issuerUrl,
    key.unitId,
  )[0]
}

function make(sql: Sql, key: LedgerKey): Row | undefined {
  return sql.all<Row>(
    `INSERT INTO ledgers (issuer, repository_id, seq, chain) VALUES (?, ?, 0, ?) RETURNING ${COLUMNS}`,
    key.issuerUrl,
    key.unitId,
    chainStart({ issuer: key.issuerUrl, unit_id: key.unitId }),
  )[0]
}

/** A record of what the ledger did by itself. */
export const brokersOwn = (event: AuditEvent, now: number, reason: string, lease: string | null = null): AuditDraft =>
  brokersDraft(event, { at: new Date(now), requestId: SWEEPER, lease, reason })

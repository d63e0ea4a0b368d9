import { chainRecord, type Sha256 } from "../../core/audit-chain.ts"
import { type AuditDraft, type AuditEvent, brokersDraft } from "../../core/audit-record.ts"
import { BrokerError } from "../../core/errors.ts"
import type { Limits } from "../../core/policy/limits.ts"
import type { TokenUse } from "../../ports/token-use.ts"
import { type Counts, hourEnds, readCounts, turned, writeCounts } from "./quotas.ts"
import type { ArchiveRows, LeaseRows, LedgerRows, StoredLease } from "./rows.ts"
import { forgottenAt, type TokenOutcome, UsedTokens } from "./used-tokens.ts"

/** The request id in records of what the broker did by itself. */
const SWEEPER = "sweeper"

/** Clocks of several machines that take turns at one ledger differ by seconds. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000

/**
 * One ledger during a transaction: the end of its chain, when it is due, and its rows. Its head is read once and written
 * once. It is not kept after a transaction that failed, and only where nothing else writes to its rows.
 */
export class OpenLedger {
  readonly tokens: UsedTokens
  readonly leases: LeaseRows
  readonly archive: ArchiveRows
  readonly #rows: LedgerRows
  readonly #sha256: Sha256
  #seq: number
  #chain: string
  #dueAt: number | null
  #latestAt: number
  #counts: Counts

  constructor(rows: LedgerRows, sha256: Sha256) {
    const { head } = rows
    this.#rows = rows
    this.#sha256 = sha256
    this.#seq = head.seq
    this.#chain = head.chain
    this.#dueAt = head.dueAt
    this.#latestAt = head.latestAt
    this.tokens = new UsedTokens(rows.tokens, head.forgottenUntil)
    this.leases = rows.leases
    this.archive = rows.archive
    this.#counts = readCounts(head.quotas)
  }

  /** The number of the last record. */
  get seq(): number {
    return this.#seq
  }

  get counts(): Counts {
    return this.#counts
  }

  /** Unix milliseconds: when the ledger must be swept next; null: never. */
  get dueAt(): number | null {
    return this.#dueAt
  }

  /** Replaces the counts. */
  count(changes: Partial<Counts>): void {
    this.#counts = { ...this.#counts, ...changes }
  }

  /**
   * Notes the time of a call (Unix milliseconds), and records the denials of an hour that is over. When the ledger has seen a
   * much later time, a clock was or is wrong: what was tried at that time is due now.
   */
  observe(now: number): void {
    const isBehind = now < this.#latestAt - CLOCK_TOLERANCE_MS
    this.#latestAt = Math.max(this.#latestAt, now)
    const { counts, ended } = turned(this.#counts, now)
    this.#counts = counts
    if (ended !== null) {
      const from = new Date(ended.from).toISOString()
      const reason = `${ended.denials} further denials in the hour from ${from} have no record of their own`
      this.append(brokersOwn("denials.counted", now, reason))
    }
    if (!isBehind) return
    this.leases.healFuture(now)
    this.dueBy(now)
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
    const link = chainRecord(this.#chain, { ...draft, seq }, this.#sha256)
    if (!link.ok) throw new BrokerError("internal", `an audit record cannot be written: ${link.fault}`)
    this.#rows.append(seq, link.value)
    this.#seq = seq
    this.#chain = link.value.chain
  }

  /** Uses a token. Records `replay` once for each token that was used before, and counts a denial for one that is used up. */
  useToken(token: TokenUse, replay: AuditDraft, limits: Limits, endsSomething = false): TokenOutcome {
    const outcome = this.tokens.use(token, endsSomething)
    if (outcome === "used") this.dueBy(forgottenAt(token.expiresAt))
    else if (outcome === "used-up") this.countDenial()
    else if (this.tokens.isFirstReplay(token)) this.recordDenial(replay, limits)
    return outcome
  }

  /** @throws {BrokerError} `internal` when the lease does not exist; the caller must know that it does */
  lease(id: string): StoredLease {
    const lease = this.leases.find(id)
    if (!lease) throw new BrokerError("internal", "the ledger has no such lease")
    return lease
  }

  /** Makes the ledger due at `time`, unless it is due earlier. */
  dueBy(time: number): void {
    if (this.#dueAt === null || time < this.#dueAt) this.#dueAt = time
  }

  /** Finds out when the ledger is due next. */
  findDue(): void {
    this.#dueAt = this.leases.earliestDue()
    const forgotten = this.tokens.nextForgotten()
    if (forgotten !== null) this.dueBy(forgotten)
    const hour = hourEnds(this.#counts)
    if (hour !== null) this.dueBy(hour)
  }

  /** Writes the head: once, at the end of every transaction that changed the ledger. */
  save(): void {
    this.#rows.save({
      seq: this.#seq,
      chain: this.#chain,
      dueAt: this.#dueAt,
      latestAt: this.#latestAt,
      forgottenUntil: this.tokens.forgottenUntil,
      quotas: writeCounts(this.#counts),
    })
  }
}

/** A record of what the ledger did by itself. */
export const brokersOwn = (event: AuditEvent, now: number, reason: string, lease: string | null = null): AuditDraft =>
  brokersDraft(event, { at: new Date(now), requestId: SWEEPER, lease, reason })

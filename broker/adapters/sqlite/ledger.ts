import type { AuditRecord } from "../../core/audit-record.ts"
import { BrokerError } from "../../core/errors.ts"
import type { GrantLimit, ReachedLimit } from "../../core/policy/limits.ts"
import type {
  Admission,
  AdmissionOutcome,
  ChainedRecord,
  DueLease,
  LeaseCredentialState,
  LeaseOfRun,
  Preparation,
  RevocationRequest,
  RevocationSettlement,
  RevocationStart,
  Settlement,
  Standing,
  Suspicion,
  SweptLedger,
} from "../../ports/ledger.ts"
import type { Reading, Sql, Transact, Way } from "../../ports/sql.ts"
import { alive, LeaseRows, type StoredLease } from "./lease-rows.ts"
import {
  becameDue,
  failed,
  isBusy,
  isClosed,
  isOvertaken,
  type Lease,
  type LeaseEnd,
  minted,
  newlyExpired,
  prepared,
  revocableNow,
  revocationAsked,
  revocationBegun,
  revocationEnded,
} from "./lease-states.ts"
import { brokersOwn, type LedgerKey, LedgerRow } from "./ledger-row.ts"
import { grantReached, reachedLimit, readCounts, standingOf } from "./quotas.ts"

const REASONS: Readonly<Record<LeaseEnd, string>> = {
  revoked: "revoked",
  expired: "expired: its time ran out",
  "expires-only": "expires-only: what cannot be taken back lives until it expires",
  failed: "failed: nothing was minted",
}

/**
 * The ledger of one repository in any SQLite database. The edge and Node differ only in `sql` and `transact`.
 *
 * Every change of state and its audit record are one transaction, so that one never exists without the other.
 */
export class SqlLedger implements SweptLedger {
  readonly #sql: Sql
  readonly #transact: Transact
  readonly #reading: Reading
  readonly #key: LedgerKey

  constructor(sql: Sql, transact: Transact, reading: Reading, key: LedgerKey) {
    this.#sql = sql
    this.#transact = transact
    this.#reading = reading
    this.#key = key
  }

  admit(admission: Admission): Promise<AdmissionOutcome> {
    const { token, now, limits, lease } = admission
    return this.#write(now, "out", (ledger, leases): AdmissionOutcome => {
      if (ledger.isTooOld(token)) return { outcome: "too-old" }
      if (!lease) {
        if (ledger.isOverDenials(limits)) {
          ledger.countDenial()
          return { outcome: "counted" }
        }
        if (!ledger.useToken(token, admission.replayAudit)) return { outcome: "already-used" }
        ledger.recordDenial(admission.audit, limits)
        return { outcome: "admitted" }
      }
      const reached = reachedLimit(ledger.counts, limits, now) ?? firstReachedGrant(lease.limited, leases)
      if (reached !== null) {
        ledger.tellOnce(reached.name, admission.overLimitAudit, limits)
        return { outcome: "over-limit", reached }
      }
      if (!ledger.useToken(token, admission.replayAudit)) return { outcome: "already-used" }
      ledger.append(admission.audit)
      leases.open(lease)
      const { exchanges, openLeases } = ledger.counts
      ledger.count({ exchanges: exchanges + 1, openLeases: openLeases + 1 })
      ledger.dueBy(lease.settleBy)
      return { outcome: "admitted" }
    })
  }

  prepare({ lease: id, credential, unknownUntil, now }: Preparation): Promise<void> {
    return this.#write(now, "out", (_, leases) => {
      const lease = leases.get(id)
      leases.write(lease, prepared({ ...lease, unknownUntil }, alive(credential)))
    })
  }

  settle(settlement: Settlement): Promise<void> {
    const now = Date.parse(settlement.audit.at)
    return this.#write(now, "back", (ledger, leases) => {
      const before = leases.get(settlement.lease)
      const credentials = settlement.credentials.map(alive)
      const settle = settlement.outcome === "minted" ? minted : (lease: StoredLease) => failed(lease, credentials, now)
      const after = settle(before, credentials)
      const lease = leases.dropPrepared(before)
      this.#move(lease, after, ledger, leases)
      ledger.append(settlement.audit)
    })
  }

  beginRevocation(request: RevocationRequest): Promise<RevocationStart> {
    const { now, token } = request
    return this.#write(now, "back", (ledger, leases): RevocationStart => {
      if (!ledger.useToken(token, request.replayAudit)) return { outcome: "already-used" }
      const lease = leases.find(request.lease)
      if (!lease || lease.state === "open") return { outcome: "not-found" }
      if (!isOf(lease, request)) {
        ledger.recordDenial(request.foreignAudit, request.limits)
        return { outcome: "not-found" }
      }
      if (isClosed(lease.state)) return { outcome: "done", credentials: lease.credentials }
      // Another call is revoking it, or it waits for its next attempt.
      const isTaken = lease.state === "revoking" && lease.dueAt > now
      const after = isTaken ? revocationAsked(lease, now) : revocationBegun(lease, now)
      if (after !== lease) {
        this.#move(lease, after, ledger, leases)
        ledger.append(request.audit)
      }
      const waiting = isBusy(lease, now) ? "busy" : "done"
      return { outcome: isTaken ? waiting : "begun", credentials: after.credentials }
    })
  }

  settleRevocation(settlement: RevocationSettlement): Promise<void> {
    return this.#write(settlement.now, "back", (ledger, leases) => {
      const lease = leases.get(settlement.lease)
      // This attempt took too long, and another one has already recorded the outcome.
      if (isOvertaken(lease)) return
      if (lease.state !== "revoking") throw new BrokerError("internal", "this lease's revocation was never begun")
      this.#endRevocation(lease, settlement, ledger, leases)
    })
  }

  look(request: LeaseOfRun): Promise<readonly LeaseCredentialState[] | null> {
    return this.#read((_, leases) => {
      const lease = leases.find(request.lease)
      return lease && lease.state !== "open" && isOf(lease, request) ? lease.credentials : null
    }, null)
  }

  recordRevocation(settlement: RevocationSettlement): Promise<void> {
    return this.#write(settlement.now, "back", (ledger, leases) => {
      const lease = leases.get(settlement.lease)
      if (isClosed(lease.state)) return
      const begun = revocationBegun(lease, settlement.now)
      leases.write(lease, begun)
      this.#endRevocation({ ...lease, ...begun }, settlement, ledger, leases)
    })
  }

  suspect({ token, now, limits, audit }: Suspicion): Promise<void> {
    return this.#write(now, "out", (ledger) => {
      if (!ledger.isTooOld(token) && ledger.markOnce(audit.event, token)) ledger.recordDenial(audit, limits)
    })
  }

  standing(now: number): Promise<Standing> {
    return this.#read((ledger) => standingOf(ledger.counts, now), standingOf(readCounts(""), now))
  }

  takeDue(now: number, limit: number): Promise<readonly DueLease[]> {
    return this.#write(now, "back", (ledger, leases) => {
      const taken: DueLease[] = []
      for (const lease of leases.due(now, limit)) {
        if (isClosed(lease.state)) {
          leases.forget(lease.id)
          continue
        }
        const after = becameDue(lease, now)
        this.#move(lease, after, ledger, leases)
        if (isClosed(after.state))
          ledger.append(brokersOwn("lease.closed", now, reasonOf(lease, after.state), lease.id))
        if (after.state !== "revoking") continue
        const over = newlyExpired(lease, after).join(", ")
        if (over) ledger.append(brokersOwn("lease.revoking", now, `the granted time is over: ${over}`, lease.id))
        taken.push({ lease: lease.id, credentials: revocableNow(after) })
      }
      ledger.forgetDeadTokens(now)
      ledger.findDue()
      return taken
    })
  }

  lookDue(now: number, limit: number): Promise<readonly DueLease[]> {
    return this.#read((_, leases): readonly DueLease[] => {
      const due = leases.due(now, limit).filter(({ state }) => !isClosed(state))
      const after = due.map((lease) => ({ lease: lease.id, next: becameDue(lease, now) }))
      return after
        .filter(({ next }) => next.state === "revoking")
        .map(({ lease, next }) => ({ lease, credentials: revocableNow(next) }))
    }, [])
  }

  auditTrail(after: number, limit: number): Promise<readonly ChainedRecord[]> {
    return this.#transact(() => {
      const ledger = LedgerRow.find(this.#sql, this.#key)
      if (!ledger) return []
      const rows = this.#sql.all<{ record: string; leaf: string; chain: string }>(
        "SELECT record, leaf, chain FROM audit WHERE ledger = ? AND seq > ? ORDER BY seq LIMIT ?",
        ledger.id,
        after,
        limit,
      )
      return rows.map(({ record, leaf, chain }) => ({ record: JSON.parse(record) as AuditRecord, leaf, chain }))
    })
  }

  /** Writes the outcomes of one attempt, and its record. */
  #endRevocation(lease: StoredLease, settlement: RevocationSettlement, ledger: LedgerRow, leases: LeaseRows): void {
    const after = revocationEnded(lease, settlement.outcomes, settlement.now)
    this.#move(lease, after, ledger, leases)
    const event = isClosed(after.state) ? "lease.closed" : "lease.revoking"
    const reason = lease.unknownUntil > 0 ? `${settlement.audit.reason}; ${unknown(lease)}` : settlement.audit.reason
    ledger.append({ ...settlement.audit, event, reason })
  }

  /** Writes a lease's next state. A lease that closes no longer counts for the limits. */
  #move(before: StoredLease, after: Lease, ledger: LedgerRow, leases: LeaseRows): void {
    leases.write(before, after)
    ledger.dueBy(after.dueAt)
    if (!isClosed(after.state) || isClosed(before.state)) return
    ledger.count({ openLeases: Math.max(0, ledger.counts.openLeases - 1) })
    leases.releaseLimited(before.id)
  }

  #write<Value>(now: number, way: Way, work: (ledger: LedgerRow, leases: LeaseRows) => Value): Promise<Value> {
    return this.#transact(() => {
      const ledger = LedgerRow.open(this.#sql, this.#key)
      const leases = new LeaseRows(this.#sql, ledger.id)
      if (ledger.observe(now) === "behind") {
        leases.healFuture(now)
        ledger.dueBy(now)
      }
      const value = work(ledger, leases)
      ledger.save()
      return value
    }, way)
  }

  /** Reads without a transaction: storage that cannot be written can often be read. */
  #read<Value>(work: (ledger: LedgerRow, leases: LeaseRows) => Value, nothing: Value): Promise<Value> {
    return this.#reading(() => {
      const ledger = LedgerRow.find(this.#sql, this.#key)
      return ledger ? work(ledger, new LeaseRows(this.#sql, ledger.id)) : nothing
    })
  }
}

function firstReachedGrant(limited: readonly GrantLimit[], leases: LeaseRows): ReachedLimit | null {
  for (const limit of limited) {
    const used = leases.openOf(limit.key)
    if (used >= limit.max) return grantReached(limit, used)
  }
  return null
}

/** An open lease cannot be revoked by a job: no job knows its id yet, because the exchange was not answered. */
function isOf(lease: StoredLease, request: LeaseOfRun): boolean {
  return lease.runId === request.runId && lease.runAttempt === request.runAttempt
}

/** Why a lease closed without a revocation. */
function reasonOf(lease: StoredLease, end: LeaseEnd): string {
  if (lease.state !== "open") return REASONS[end]
  return lease.unknownUntil > 0 ? unknown(lease) : "failed: the exchange was interrupted, and nothing left the broker"
}

const unknown = ({ unknownUntil }: StoredLease): string =>
  `unknown: the exchange was interrupted; what it minted lives at the latest until ${new Date(unknownUntil).toISOString()}`

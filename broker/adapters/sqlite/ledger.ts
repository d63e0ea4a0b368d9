import type { AuditRecord } from "../../core/audit-record.ts"
import { BrokerError } from "../../core/errors.ts"
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
import { admit } from "./admit.ts"
import { lookDue, move, takeDue, unknown } from "./due.ts"
import { alive, LeaseRows, type StoredLease } from "./lease-rows.ts"
import {
  endedEarly,
  failed,
  isBusy,
  isClosed,
  isOvertaken,
  type Lease,
  minted,
  prepared,
  revocationAsked,
  revocationBegun,
  revocationEnded,
} from "./lease-states.ts"
import { type LedgerKey, LedgerRow } from "./ledger-row.ts"
import { readCounts, standingOf } from "./quotas.ts"
import { forgottenAt } from "./used-tokens.ts"

/**
 * The ledger of one unit in any SQLite database. The edge and Node differ only in `sql` and `transact`.
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
    return this.#write(admission.now, "out", (ledger, leases) => admit(admission, ledger, leases))
  }

  prepare({ lease: id, credential, unknownUntil, now }: Preparation): Promise<void> {
    return this.#write(now, "out", (_, leases) => {
      const lease = leases.get(id)
      leases.write(lease, prepared({ ...lease, unknownUntil }, alive(credential)))
    })
  }

  settle(settlement: Settlement): Promise<void> {
    const now = Date.parse(settlement.audit.at)
    // What was minted is handed out only with a record in storage that can be relied on.
    const way = settlement.outcome === "minted" ? "out" : "back"
    return this.#write(now, way, (ledger, leases) => {
      const before = leases.get(settlement.lease)
      const credentials = settlement.credentials.map(alive)
      const settle = settlement.outcome === "minted" ? minted : (lease: StoredLease) => failed(lease, credentials, now)
      const after = settle(before, credentials)
      const lease = leases.dropPrepared(before)
      move(lease, after, ledger, leases)
      ledger.append(settlement.audit)
    })
  }

  beginRevocation(request: RevocationRequest): Promise<RevocationStart> {
    const { now, token, limits } = request
    return this.#write(now, "back", (ledger, leases): RevocationStart => {
      const found = leases.find(request.lease)
      const lease = found && isOf(found, request) ? found : null
      // Another call is revoking it, or it waits for its next attempt.
      const isTaken = lease?.state === "revoking" && lease.dueAt > now
      const after = lease && asked(lease, isTaken, now)
      const isIdle = after === lease
      const isUncounted = () => ledger.isOverDenials(limits) || ledger.tokens.outcomeOf(token) === "used-up"
      if (isIdle && isUncounted()) ledger.countDenial()
      else if (ledger.useToken(token, request.replayAudit, limits, !isIdle) !== "used")
        return { outcome: "already-used" }
      else if (isIdle) {
        ledger.recordDenial(found && !lease ? request.foreignAudit : null, limits)
        // A row, too: beyond the limit, an exchange that is still on its way is ended by the sweep only.
        if (!found) ledger.tokens.endEarly(request, token)
      }
      if (!lease || !after) return { outcome: "not-found" }
      const { credentials, unknownUntil } = lease
      if (isClosed(lease.state)) return { outcome: "done", credentials, ...interrupted(unknownUntil) }
      if (!isIdle) {
        move(lease, after, ledger, leases)
        ledger.append(request.audit)
      }
      if (lease.state === "open") return { outcome: "open", credentials, unknownUntil }
      const waiting = isBusy(lease, now) ? "busy" : "done"
      return { outcome: isTaken ? waiting : "begun", credentials: after.credentials, ...interrupted(unknownUntil) }
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
      if (!lease || !isOf(lease, request)) return null
      // Its exchange may be running. Only a record keeps it from handing out what it mints.
      if (lease.state === "open") throw new BrokerError("ledger_unavailable", "this lease cannot be ended now")
      return lease.credentials
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
      if (ledger.tokens.isTooOld(token)) return
      // Its mark is a row, too.
      if (ledger.isOverDenials(limits)) return ledger.countDenial()
      if (!ledger.tokens.markOnce(audit.event, token)) return
      ledger.dueBy(forgottenAt(token.expiresAt))
      ledger.recordDenial(audit, limits)
    })
  }

  standing(now: number): Promise<Standing> {
    return this.#read((ledger) => standingOf(ledger.counts, now), standingOf(readCounts(""), now))
  }

  takeDue(now: number, limit: number): Promise<readonly DueLease[]> {
    return this.#write(now, "back", (ledger, leases) => takeDue({ now, limit }, ledger, leases))
  }

  lookDue(now: number, limit: number): Promise<readonly DueLease[]> {
    return this.#read((_, leases) => lookDue({ now, limit }, leases), [])
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
    move(lease, after, ledger, leases)
    const event = isClosed(after.state) ? "lease.closed" : "lease.revoking"
    const reason = lease.unknownUntil > 0 ? `${settlement.audit.reason}; ${unknown(lease)}` : settlement.audit.reason
    ledger.append({ ...settlement.audit, event, reason })
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

/** For an exchange that was interrupted: until when what it minted, and nobody can revoke, may live. */
const interrupted = (unknownUntil: number) => (unknownUntil > 0 ? { unknownUntil } : {})

/** The lease after its job has asked to end it. The same object when that changes nothing. */
function asked(lease: StoredLease, isTaken: boolean, now: number): Lease {
  if (isClosed(lease.state)) return lease
  if (lease.state === "open") return endedEarly(lease, now)
  return (isTaken ? revocationAsked : revocationBegun)(lease, now)
}

/** Only the run and attempt that opened a lease can end it. */
function isOf(lease: StoredLease, request: LeaseOfRun): boolean {
  return lease.runId === request.runId && lease.runAttempt === request.runAttempt
}

import type { AuditDraft, AuditRecord } from "../../core/audit-record.ts"
import { BrokerError } from "../../core/errors.ts"
import type {
  Admission,
  ChainedRecord,
  DueLease,
  RevocationRequest,
  RevocationSettlement,
  RevocationStart,
  Settlement,
  SweptLedger,
} from "../../ports/ledger.ts"
import type { Sql, Transact } from "../../ports/sql.ts"
import { alive, LeaseRows, type StoredLease } from "./lease-rows.ts"
import {
  becameDue,
  failed,
  isClosed,
  isOvertaken,
  type LeaseEnd,
  minted,
  newlyExpired,
  revocableNow,
  revocationAsked,
  revocationBegun,
  revocationEnded,
} from "./lease-states.ts"
import { type LedgerKey, LedgerRow } from "./ledger-row.ts"

/** The request id in records of what the broker did by itself. */
const SWEEPER = "sweeper"

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
  readonly #key: LedgerKey

  constructor(sql: Sql, transact: Transact, key: LedgerKey) {
    this.#sql = sql
    this.#transact = transact
    this.#key = key
  }

  admit(admission: Admission): Promise<"admitted" | "already-used"> {
    return this.#write((ledger, leases) => {
      if (!ledger.useToken(admission.token, admission.replayAudit)) return "already-used"
      ledger.append(admission.audit)
      if (admission.lease) {
        leases.open(admission.lease)
        ledger.dueBy(admission.lease.endsBy)
      }
      return "admitted"
    })
  }

  settle(settlement: Settlement): Promise<void> {
    return this.#write((ledger, leases) => {
      const lease = leases.get(settlement.lease)
      const credentials = settlement.credentials.map(alive)
      const now = Date.parse(settlement.audit.at)
      const after = settlement.outcome === "minted" ? minted(lease, credentials) : failed(lease, credentials, now)
      leases.write(lease, after)
      ledger.dueBy(after.dueAt)
      ledger.append(settlement.audit)
    })
  }

  beginRevocation(request: RevocationRequest): Promise<RevocationStart> {
    return this.#write((ledger, leases): RevocationStart => {
      if (!ledger.useToken(request.token, request.replayAudit)) return { outcome: "already-used" }
      const lease = leases.find(request.lease)
      if (!lease || !isOf(lease, request)) return { outcome: "not-found" }
      if (isClosed(lease.state)) return { outcome: "done", credentials: lease.credentials }
      // Another call is revoking it, or it waits for its next attempt.
      const isTaken = lease.state === "revoking" && lease.dueAt > request.now
      const after = isTaken ? revocationAsked(lease, request.now) : revocationBegun(lease, request.now)
      if (after !== lease) {
        leases.write(lease, after)
        ledger.dueBy(after.dueAt)
        ledger.append(request.audit)
      }
      return { outcome: isTaken ? "done" : "begun", credentials: after.credentials }
    })
  }

  settleRevocation(settlement: RevocationSettlement): Promise<void> {
    return this.#write((ledger, leases) => {
      const lease = leases.get(settlement.lease)
      // This attempt took too long, and another one has already recorded the outcome.
      if (isOvertaken(lease)) return
      if (lease.state !== "revoking") throw new BrokerError("internal", "this lease's revocation was never begun")
      const after = revocationEnded(lease, settlement.outcomes, settlement.now)
      leases.write(lease, after)
      ledger.dueBy(after.dueAt)
      ledger.append({ ...settlement.audit, event: isClosed(after.state) ? "lease.closed" : "lease.revoking" })
    })
  }

  takeDue(now: number, limit: number): Promise<readonly DueLease[]> {
    return this.#write((ledger, leases) => {
      const taken: DueLease[] = []
      for (const lease of leases.due(now, limit)) {
        if (isClosed(lease.state)) {
          leases.forget(lease.id)
          continue
        }
        const after = becameDue(lease, now)
        leases.write(lease, after)
        if (isClosed(after.state)) ledger.append(sweeping(lease, "lease.closed", REASONS[after.state], now))
        if (after.state !== "revoking") continue
        const over = newlyExpired(lease, after).join(", ")
        if (over) ledger.append(sweeping(lease, "lease.revoking", `the granted time is over: ${over}`, now))
        taken.push({ lease: lease.id, credentials: revocableNow(after) })
      }
      ledger.forgetDeadTokens(now)
      ledger.findDue()
      return taken
    })
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

  #write<Value>(work: (ledger: LedgerRow, leases: LeaseRows) => Value): Promise<Value> {
    return this.#transact(() => {
      const ledger = LedgerRow.open(this.#sql, this.#key)
      const value = work(ledger, new LeaseRows(this.#sql, ledger.id))
      ledger.save()
      return value
    })
  }
}

/** An open lease cannot be revoked by a job: no job knows its id yet, because the exchange was not answered. */
function isOf(lease: StoredLease, request: RevocationRequest): boolean {
  return lease.state !== "open" && lease.runId === request.runId && lease.runAttempt === request.runAttempt
}

function sweeping(
  lease: StoredLease,
  event: "lease.revoking" | "lease.closed",
  reason: string,
  now: number,
): AuditDraft {
  return {
    at: new Date(now).toISOString(),
    request_id: SWEEPER,
    event,
    identity: null,
    token_digest: null,
    lease: lease.id,
    grants: [],
    decision: null,
    reason,
    policy_version: null,
    client_address: null,
  }
}

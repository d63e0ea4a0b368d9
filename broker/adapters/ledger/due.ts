import type { DueLease } from "../../ports/ledger.ts"
import { becameDue, isClosed, type Lease, type LeaseEnd, newlyExpired, revocableNow } from "./lease-states.ts"
import { brokersOwn, type OpenLedger } from "./open-ledger.ts"
import type { StoredLease } from "./rows.ts"

/** More closed leases than a unit can open in the time between two sweeps. */
export const FORGET_LEASES_AT_MOST = 500

interface Window {
  /** Unix milliseconds. */
  readonly now: number
  readonly limit: number
}

const REASONS: Readonly<Record<LeaseEnd, string>> = {
  revoked: "revoked",
  expired: "expired: its time ran out",
  "expires-only": "expires-only: what cannot be revoked lives until it expires",
  failed: "failed: nothing was minted",
}

/** Ends what is due, forgets what is over, and returns what the caller must revoke: inside one transaction. */
export function takeDue({ now, limit }: Window, ledger: OpenLedger): readonly DueLease[] {
  const taken: DueLease[] = []
  for (const lease of ledger.leases.due(now, limit)) {
    const after = becameDue(lease, now)
    move(lease, after, ledger)
    if (isClosed(after.state)) ledger.append(brokersOwn("lease.closed", now, reasonOf(lease, after.state), lease.id))
    if (after.state !== "revoking") continue
    const over = newlyExpired(lease, after).join(", ")
    if (over) ledger.append(brokersOwn("lease.revoking", now, `the granted time is over: ${over}`, lease.id))
    taken.push({ lease: lease.id, credentials: revocableNow(after) })
  }
  // Apart from the others: a month after a flood of leases, none must wait until those are deleted.
  ledger.leases.forgetClosed(now, FORGET_LEASES_AT_MOST)
  ledger.tokens.forgetDead(now)
  ledger.findDue()
  return taken
}

/** What `takeDue` would return, without changing anything. */
export function lookDue({ now, limit }: Window, ledger: OpenLedger): readonly DueLease[] {
  return ledger.leases
    .due(now, limit)
    .map((lease) => ({ lease: lease.id, next: becameDue(lease, now) }))
    .filter(({ next }) => next.state === "revoking")
    .map(({ lease, next }) => ({ lease, credentials: revocableNow(next) }))
}

/** Writes a lease's next state. A lease that closes no longer counts for the limits. */
export function move(before: StoredLease, after: Lease, ledger: OpenLedger): void {
  ledger.leases.write(before, after)
  ledger.dueBy(after.dueAt)
  if (!isClosed(after.state) || isClosed(before.state)) return
  ledger.count({ openLeases: Math.max(0, ledger.counts.openLeases - 1) })
  ledger.leases.releaseLimited(before.id)
}

/** Why a lease closed without a revocation. */
function reasonOf(lease: StoredLease, end: LeaseEnd): string {
  if (lease.state !== "open") return REASONS[end]
  return lease.unknownUntil > 0 ? unknown(lease) : "failed: the exchange was interrupted, and nothing left the broker"
}

/** The end of what an interrupted exchange minted, for the record. */
export const unknown = ({ unknownUntil }: Lease): string =>
  `unknown: the exchange was interrupted; what it minted lives at the latest until ${new Date(unknownUntil).toISOString()}`

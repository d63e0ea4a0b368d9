import type { DueLease } from "../../ports/ledger.ts"
import type { WaitUntil } from "../../ports/sweeping.ts"
import { isAlive } from "./credential-ends.ts"
import {
  becameDue,
  isClosed,
  type Lease,
  type LeaseEnd,
  newlyExpired,
  postponed,
  revocableNow,
} from "./lease-states.ts"
import { brokersOwn, type OpenLedger } from "./open-ledger.ts"
import type { StoredLease } from "./rows.ts"

/** How many closed leases one visit deletes: a few milliseconds. While more are left, the ledger stays due. */
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
export function takeDue(
  { now, limit }: Window,
  ledger: OpenLedger,
  waitUntil: WaitUntil = () => null,
): readonly DueLease[] {
  const taken: DueLease[] = []
  const due = ledger.leases.due(now, limit)
  for (const lease of due) {
    const begun = becameDue(lease, now)
    const until = begun.state === "revoking" ? waitOf(begun, waitUntil) : null
    const after = until === null ? begun : postponed(lease, begun, until)
    move(lease, after, ledger)
    if (isClosed(after.state)) ledger.append(brokersOwn("lease.closed", now, reasonOf(lease, after.state), lease.id))
    if (after.state !== "revoking") continue
    const over = newlyExpired(lease, after).join(", ")
    if (over) ledger.append(brokersOwn("lease.revoking", now, `the granted time is over: ${over}`, lease.id))
    if (until === null) taken.push({ lease: lease.id, credentials: revocableNow(after) })
  }
  // Only after the last due lease: no lease waits for a deletion, and the search for closed leases does not read past all
  // leases that are still due, again in every visit.
  if (due.length < limit) {
    ledger.leases.forgetClosed(now, FORGET_LEASES_AT_MOST)
    ledger.tokens.forgetDead(now)
  }
  ledger.findDue()
  return taken
}

/** When the first connection that must be asked has time for this lease; null when one has it now. */
function waitOf(begun: Lease, waitUntil: WaitUntil): number | null {
  const asked = new Set(
    revocableNow(begun)
      .filter(isAlive)
      .map(({ connection }) => connection),
  )
  const waits = [...asked].map(waitUntil)
  return waits.length === 0 || waits.includes(null) ? null : Math.min(...(waits as number[]))
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

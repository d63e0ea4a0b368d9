import type { EarlyEnd, EarlyEndOutcome, LeaseCredentialState } from "../../ports/ledger.ts"
import { isAlive } from "./credential-ends.ts"
import { move } from "./due.ts"
import { cutShort as cutLease, isClosed } from "./lease-states.ts"
import type { OpenLedger } from "./open-ledger.ts"
import type { StoredLease } from "./rows.ts"

/** Ends credentials before their time, and records it for each lease: inside one transaction. */
export function cutShort(order: EarlyEnd, ledger: OpenLedger): EarlyEndOutcome {
  const { connection, grant, now, audit } = order
  const isMeant = (one: LeaseCredentialState) =>
    isAlive(one) &&
    (connection === undefined || one.connection === connection) &&
    (grant === undefined || one.grant === grant)
  const counts = { ended: 0, revoking: 0, underWay: 0 }
  const expiring = { leases: 0, until: 0 }
  const page = pageOf(order, ledger)
  for (const lease of page) {
    if (lease.state === "open") {
      // Nobody knows yet what it mints.
      if (lease.dueAt <= order.underWayBy) counts.underWay += 1
      continue
    }
    const meant = lease.credentials.filter(isMeant)
    const lasting = meant.filter(({ revocation }) => revocation === "expires-only")
    if (lasting.length > 0) {
      expiring.leases += 1
      expiring.until = Math.max(expiring.until, ...lasting.map(({ expiresAt }) => expiresAt ?? lease.endsBy))
    }
    const after = cutLease(lease, isMeant, now)
    if (after !== lease) {
      counts.ended += 1
      move(lease, after, ledger)
      const grants = meant.filter((one) => !lasting.includes(one)).map((one) => one.grant)
      ledger.append({ ...audit, lease: lease.id, reason: `${audit.reason}: ${grants.join(", ")}` })
    } else if (lasting.length < meant.length) {
      counts.revoking += 1
    }
  }
  const isLast = order.leases !== undefined || page.length < order.limit
  return { ...counts, expiring, next: isLast ? null : (page.at(-1)?.id ?? null) }
}

function pageOf({ leases, after, limit }: EarlyEnd, ledger: OpenLedger): readonly StoredLease[] {
  if (leases === undefined) return ledger.leases.notClosed(after, limit)
  return leases
    .map((id) => ledger.leases.find(id))
    .filter((lease) => lease !== null)
    .filter(({ state }) => !isClosed(state))
}

import type { GrantLimit, ReachedLimit } from "../../core/policy/limits.ts"
import type { Admission, AdmissionOutcome } from "../../ports/ledger.ts"
import type { LeaseRows } from "./lease-rows.ts"
import type { LedgerRow } from "./ledger-row.ts"
import { grantReached, reachedLimit } from "./quotas.ts"

/** Uses up a token, and opens a lease or records a denial: inside one transaction. */
export function admit(admission: Admission, ledger: LedgerRow, leases: LeaseRows): AdmissionOutcome {
  const { token, now, limits, lease, replayAudit } = admission
  if (ledger.tokens.isTooOld(token)) return { outcome: "too-old" }
  if (!lease) {
    // Its token is not used up either: each used token is a row.
    if (ledger.isOverDenials(limits)) {
      ledger.countDenial()
      return { outcome: "counted" }
    }
    if (!ledger.useToken(token, replayAudit, limits)) return { outcome: "already-used" }
    ledger.recordDenial(admission.audit, limits)
    return { outcome: "admitted" }
  }
  const reached = reachedLimit(ledger.counts, limits, now) ?? firstReachedGrant(lease.limited, leases)
  if (reached !== null) {
    const name = reached.grant === undefined ? reached.name : `${reached.name} of ${reached.grant}`
    const audit = { ...admission.overLimitAudit, reason: `${name}: ${admission.overLimitAudit.reason}` }
    ledger.tellOnce(name, audit, limits)
    return { outcome: "over-limit", reached }
  }
  if (!ledger.useToken(token, replayAudit, limits)) return { outcome: "already-used" }
  ledger.append(admission.audit)
  leases.open(lease)
  const { exchanges, openLeases } = ledger.counts
  ledger.count({ exchanges: exchanges + 1, openLeases: openLeases + 1 })
  ledger.dueBy(lease.settleBy)
  return { outcome: "admitted" }
}

function firstReachedGrant(limited: readonly GrantLimit[], leases: LeaseRows): ReachedLimit | null {
  for (const limit of limited) {
    const used = leases.openOf(limit.key)
    if (used >= limit.max) return grantReached(limit, used)
  }
  return null
}

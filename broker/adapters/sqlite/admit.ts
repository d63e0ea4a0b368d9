import type { GrantLimit, ReachedLimit } from "../../core/policy/limits.ts"
import type { Admission, AdmissionOutcome, LeaseOpening } from "../../ports/ledger.ts"
import type { LeaseRows } from "./lease-rows.ts"
import type { LedgerRow } from "./ledger-row.ts"
import { grantReached, reachedLimit } from "./quotas.ts"

/** Uses up a token, and opens a lease or records a denial: inside one transaction. */
export function admit(admission: Admission, ledger: LedgerRow, leases: LeaseRows): AdmissionOutcome {
  const { token, now, limits, lease, replayAudit } = admission
  if (ledger.tokens.isTooOld(token)) return { outcome: "too-old" }
  if (!lease) {
    // Its token is not used up either: each used token is a row, and each proof.
    if (ledger.isOverDenials(limits) || ledger.tokens.outcomeOf(token) === "used-up") {
      ledger.countDenial()
      return { outcome: "counted" }
    }
    const used = ledger.useToken(token, replayAudit, limits)
    if (used !== "used") return { outcome: used }
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
  // A used token is told first: a request that comes twice has the same lease, and is a replay.
  const isReplay = () => ledger.tokens.outcomeOf(token) === "already-used"
  if (isTaken(lease, ledger, leases) && !isReplay()) return { outcome: "lease-taken" }
  const used = ledger.useToken(token, replayAudit, limits)
  if (used !== "used") return { outcome: used }
  ledger.append(admission.audit)
  leases.open(lease)
  const { exchanges, openLeases } = ledger.counts
  ledger.count({ exchanges: exchanges + 1, openLeases: openLeases + 1 })
  ledger.dueBy(lease.settleBy)
  return { outcome: "admitted" }
}

/** Jobs choose their leases' ids. An id can be used once, and not after its run has ended it. */
function isTaken({ id, runId, runAttempt }: LeaseOpening, ledger: LedgerRow, leases: LeaseRows): boolean {
  return leases.has(id) || ledger.tokens.isEndedEarly({ lease: id, runId, runAttempt })
}

function firstReachedGrant(limited: readonly GrantLimit[], leases: LeaseRows): ReachedLimit | null {
  for (const limit of limited) {
    const used = leases.openOf(limit.key)
    if (used >= limit.max) return grantReached(limit, used)
  }
  return null
}

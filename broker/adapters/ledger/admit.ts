import type { GrantLimit, ReachedLimit } from "../../core/policy/limits.ts"
import type { Admission, AdmissionOutcome, LeaseOpening } from "../../ports/ledger.ts"
import type { OpenLedger } from "./open-ledger.ts"
import { grantReached, reachedLimit } from "./quotas.ts"
import type { LeaseRows, StoredLease } from "./rows.ts"

/** Uses up a token and records a denial, inside one transaction. */
export function deny(admission: Admission, ledger: OpenLedger): AdmissionOutcome {
  const { token, limits, replayAudit } = admission
  if (ledger.tokens.isTooOld(token)) return { outcome: "too-old" }
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

/**
 * Uses up a token, and stores a new lease with its record, inside one transaction.
 *
 * @param lease as it is to be stored: open, or settled already
 */
export function admit(
  admission: Admission,
  opening: LeaseOpening,
  lease: StoredLease,
  ledger: OpenLedger,
): AdmissionOutcome {
  const { token, now, limits, replayAudit } = admission
  if (ledger.tokens.isTooOld(token)) return { outcome: "too-old" }
  const reached = reachedLimit(ledger.counts, limits, now) ?? firstReachedGrant(opening.limited, ledger.leases)
  if (reached !== null) {
    const name = reached.grant === undefined ? reached.name : `${reached.name} of ${reached.grant}`
    const audit = { ...admission.overLimitAudit, reason: `${name}: ${admission.overLimitAudit.reason}` }
    ledger.tellOnce(name, audit, limits)
    return { outcome: "over-limit", reached }
  }
  // A used token is told first: a request that comes twice has the same lease, and is a replay.
  const isReplay = () => ledger.tokens.outcomeOf(token) === "already-used"
  if (isTaken(opening, ledger) && !isReplay()) return { outcome: "lease-taken" }
  const used = ledger.useToken(token, replayAudit, limits)
  if (used !== "used") return { outcome: used }
  ledger.append(admission.audit)
  ledger.leases.add(
    lease,
    opening.limited.map(({ key }) => key),
  )
  const { exchanges, openLeases } = ledger.counts
  ledger.count({ exchanges: exchanges + 1, openLeases: openLeases + 1 })
  ledger.dueBy(lease.dueAt)
  return { outcome: "admitted" }
}

/** Jobs choose their leases' ids. An id can be used once, and not after its run has ended it. */
function isTaken({ id, runId, runAttempt }: LeaseOpening, ledger: OpenLedger): boolean {
  return ledger.leases.has(id) || ledger.tokens.isEndedEarly({ lease: id, runId, runAttempt })
}

function firstReachedGrant(limited: readonly GrantLimit[], leases: LeaseRows): ReachedLimit | null {
  for (const limit of limited) {
    const used = leases.openOf(limit.key)
    if (used >= limit.max) return grantReached(limit, used)
  }
  return null
}

import { brokersDraft } from "../core/audit-record.ts"
import type { Broker } from "../exchange/broker.ts"
import type { LedgerKey } from "../ports/directory.ts"
import type { EarlyEndOutcome, Ledger, OpenLease } from "../ports/ledger.ts"
import { LEASE_ID } from "../wire/lease-id.ts"
import { type OperatorAct, recordAct } from "./act.ts"
import { outOfSight } from "./operator.ts"
import { readReason } from "./stops.ts"

export interface LeaseToEnd extends LedgerKey {
  readonly lease: string
  /** As the operator wrote it. */
  readonly reason: string
  /** Whether the operator's scope covers what was granted through these connections. */
  isSeen(connections?: readonly string[]): boolean
}

/** The open lease with this id; null for one that has ended, and for another text. */
export async function openLease(ledger: Pick<Ledger, "openLeases">, lease: string): Promise<OpenLease | null> {
  if (!LEASE_ID.test(lease)) return null
  // Ids are in the order of their texts. At most 16 have all characters but the last in common.
  const near = await ledger.openLeases(lease.slice(0, -1), 16)
  return near.find((one) => one.lease === lease) ?? null
}

/**
 * Makes the credentials of one lease due for revocation now, recorded on the operator's side before, and in the unit's ledger with
 * it. Those that only expire are not changed.
 *
 * @throws {BrokerError} `not_allowed` for a lease that does not exist, has ended, or is outside of the scope; `ledger_unavailable`
 */
export async function endLease(
  { issuerUrl, unitId, lease, reason: given, isSeen }: LeaseToEnd,
  act: OperatorAct,
  { broker, sweepSoon }: { readonly broker: Pick<Broker, "ledgers" | "clock">; sweepSoon?(): void },
): Promise<EarlyEndOutcome> {
  const reason = readReason(given)
  const ledger = broker.ledgers.of(issuerUrl, unitId)
  const open = await openLease(ledger, lease)
  const connections = open?.credentials.map(({ connection }) => connection) ?? []
  if (open === null || !isSeen(connections.length === 0 ? undefined : connections)) throw outOfSight("lease")
  await recordAct({ ...act }, `end lease ${lease}: ${reason}`, broker)
  const at = broker.clock.now()
  const audit = brokersDraft("lease.revoking", {
    at,
    ...{ requestId: act.requestId, lease, reason: `ended by an operator: ${reason}` },
  })
  const now = at.getTime()
  const outcome = await ledger.cutShort({ leases: [lease], after: "", limit: 1, underWayBy: now, now, audit })
  sweepSoon?.()
  return outcome
}

import { type AuditDraft, brokersDraft } from "../core/audit-record.ts"
import type { DueLease, SweptLedger } from "../ports/ledger.ts"
import type { Broker } from "./broker.ts"
import { endCredentials, isRecorded, summary } from "./revoke.ts"

const LEASES_PER_SWEEP = 50

/** A ledger with its unit, for which its handles are sealed. */
export interface SweepTarget {
  readonly ledger: SweptLedger
  readonly issuerUrl: string
  readonly unitId: string
}

/**
 * Ends leases whose time is over and that no job has ended, because the runner died or a provider could not be reached.
 * Also revokes single credentials whose granted time is over, even while their job is still running.
 *
 * Needs no policies and no connection. While the ledger cannot be written, it revokes what it can read, and records later.
 *
 * @returns the number of leases that were processed
 * @throws {BrokerError} `ledger_unavailable` when the ledger cannot be read either; the leases stay due
 */
export async function sweep(target: SweepTarget, broker: Broker): Promise<number> {
  const { ledger, issuerUrl, unitId } = target
  await broker.owed.pay()
  const now = broker.clock.now().getTime()
  const due = await ledger.takeDue(now, LEASES_PER_SWEEP).then(
    (leases) => ({ leases, written: true }),
    async () => ({ leases: await unpaid(target, now, broker), written: false }),
  )
  await Promise.all(
    due.leases.map(async ({ lease, credentials }) => {
      const of = { lease, issuerUrl, unitId }
      const outcomes = await endCredentials(credentials, of, broker)
      const at = broker.clock.now()
      const audit = sweptDraft(lease, summary(outcomes), at)
      const settlement = { lease, outcomes, now: at.getTime(), audit }
      const recorded = due.written && (await isRecorded(ledger.settleRevocation(settlement)))
      if (!recorded) broker.owed.keep(of, settlement)
    }),
  )
  return due.leases.length
}

/** Without the leases that were revoked already, and of which only the record is missing: they stay due. */
async function unpaid(target: SweepTarget, now: number, broker: Broker): Promise<readonly DueLease[]> {
  const { ledger, issuerUrl, unitId } = target
  const looked = await ledger.lookDue(now, LEASES_PER_SWEEP + broker.owed.size)
  return looked.filter(({ lease }) => !broker.owed.has({ lease, issuerUrl, unitId })).slice(0, LEASES_PER_SWEEP)
}

const sweptDraft = (lease: string, outcome: string, at: Date): AuditDraft =>
  brokersDraft("lease.closed", { at, requestId: crypto.randomUUID(), lease, reason: `ended by the broker: ${outcome}` })

import type { AuditDraft } from "../core/audit-record.ts"
import type { SweptLedger } from "../ports/ledger.ts"
import type { Broker } from "./broker.ts"
import { endCredentials, summary } from "./revoke.ts"

const LEASES_PER_SWEEP = 50

/** A ledger with its repository, for which its handles are sealed. */
export interface SweepTarget {
  readonly ledger: SweptLedger
  readonly issuerUrl: string
  readonly repositoryId: string
}

/**
 * Ends leases whose time is over and that no job has ended, because the runner died or a provider could not be reached.
 * Also revokes single credentials whose granted time is over, even while their job is still running.
 *
 * @returns the number of leases that were processed
 * @throws {BrokerError} `ledger_unavailable`, `policy_unavailable`; the leases stay due
 */
export async function sweep(target: SweepTarget, broker: Broker): Promise<number> {
  const { organisation } = await broker.policySource.snapshot()
  const due = await target.ledger.takeDue(broker.clock.now().getTime(), LEASES_PER_SWEEP)
  await Promise.all(
    due.map(async ({ lease, credentials }) => {
      const outcomes = await endCredentials(lease, credentials, target, organisation, broker)
      const at = broker.clock.now()
      await target.ledger.settleRevocation({
        lease,
        outcomes,
        now: at.getTime(),
        audit: sweptDraft(lease, summary(outcomes), at),
      })
    }),
  )
  return due.length
}

const sweptDraft = (lease: string, outcome: string, at: Date): AuditDraft => ({
  at: at.toISOString(),
  request_id: crypto.randomUUID(),
  event: "lease.closed",
  identity: null,
  token_digest: null,
  lease,
  grants: [],
  decision: null,
  reason: `ended by the broker: ${outcome}`,
  policy_version: null,
  client_address: null,
})

import { isOver, type LeaseHome, type StepLeases } from "../../action/lease.ts"
import { startDeadline } from "../../action/retry.ts"
import { endLease } from "../../action/revoke-lease.ts"

/** For all of them together. The job waits for it even when its command has failed, so it is short. */
export const END_WITHIN_MS = 2_000

/**
 * Ends the leases of a command that gets nothing, also those whose answer has not come: the broker then hands nothing out for
 * them. Never rejects.
 */
export async function endLeases(leases: StepLeases, home: LeaseHome): Promise<void> {
  const deadline = startDeadline(END_WITHIN_MS)
  for (const lease of leases.all) if (!isOver(lease)) await endLease(lease, home, deadline)
}

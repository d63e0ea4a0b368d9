import { forLog } from "../escape.ts"
import { isOver, type LeaseHome, type StepLease, type StepLeases } from "../lease.ts"
import type { Deadline } from "../retry.ts"
import { endLease } from "../revoke-lease.ts"
import { laterRevocation, warn } from "../runner.ts"

/** Revokes leases of the command that still live. What fails stays saved, and the post step tries again. */
export async function revokeLeases(
  wanted: readonly StepLease[],
  leases: StepLeases,
  home: LeaseHome,
  deadline: Deadline,
): Promise<void> {
  for (const lease of wanted) {
    const failure = isOver(lease) ? null : await endLease(lease, home, deadline)
    if (failure === null) leases.forget(lease.id)
    else warn(`A lease is not revoked yet; ${laterRevocation()}: ${forLog(failure.message)}`)
  }
}

import { forLog } from "../escape.ts"
import { toFailure } from "../failure.ts"
import { isOver, type LeaseHome, type StepLease, type StepLeases } from "../lease.ts"
import { logOutcomes } from "../outcomes.ts"
import type { Deadline } from "../retry.ts"
import { revokeLease } from "../revoke-lease.ts"
import * as runner from "../runner.ts"

/** Revokes leases of the command that still live. What fails stays saved, and the post step tries again. */
export async function revokeLeases(
  wanted: readonly StepLease[],
  leases: StepLeases,
  home: LeaseHome,
  deadline: Deadline,
): Promise<void> {
  for (const lease of wanted) {
    if (isOver(lease) || (await isRevoked(lease, home, deadline))) leases.forget(lease.id)
  }
}

async function isRevoked({ id, expiresAt }: StepLease, home: LeaseHome, deadline: Deadline): Promise<boolean> {
  try {
    logOutcomes(await revokeLease(id, home, deadline))
    return true
  } catch (thrown) {
    const failure = toFailure(thrown)
    // An attempt without an answer never reached the broker, which has now been told not to mint for it.
    if (expiresAt === null && failure.code === "lease_not_found") return true
    runner.warn(`A lease is not revoked yet; the post step tries again: ${forLog(failure.message)}`)
    return false
  }
}

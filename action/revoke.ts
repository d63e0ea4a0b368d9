import { advice } from "./advice.ts"
import { forLog } from "./escape.ts"
import { toFailure } from "./failure.ts"
import {
  removeDeliveredFiles,
  revokeLease,
  type SavedLease,
  savedLease,
  savedRenewedLeases,
  savedVariables,
} from "./lease.ts"
import { logOutcomes } from "./outcomes.ts"
import { startDeadline } from "./retry.ts"
import { info, warn } from "./runner.ts"

/**
 * Removes the files that main wrote and revokes the job's lease, whether main succeeded, failed or was cancelled. Does
 * nothing when there are no files and no lease.
 *
 * Never fails the job: if a revocation fails, it prints the time when the credential expires. Does not change the
 * environment: a post step cannot unset a variable, and an empty value would hide what another step had set.
 */
export async function revoke(): Promise<void> {
  await attempt(removeDeliveredFiles)
  await attempt(async () => {
    const lease = savedLease()
    if (lease !== null) await revokeSaved(lease)
  })
  for (const lease of savedRenewedLeases()) await attempt(() => revokeSaved(lease))
}

/** A failure becomes a warning, so that the rest of the clean-up still runs. */
async function attempt(act: () => void | Promise<void>): Promise<void> {
  try {
    await act()
  } catch (thrown) {
    warn(forLog(toFailure(thrown).message))
  }
}

async function revokeSaved(lease: SavedLease): Promise<void> {
  try {
    logOutcomes(await revokeLease(lease, startDeadline()))
  } catch (thrown) {
    const failure = toFailure(thrown)
    const alive = `The credentials of this job could not be revoked. They can live until ${lease.expiresAt}.`
    const request = failure.requestId === undefined ? "" : ` (request ${failure.requestId})`
    warn(`${alive} ${forLog(failure.message)} ${advice(failure.code)}${request}`)
    return
  }
  const variables = savedVariables()
  if (variables.length > 0) info(`These variables stay set with the values of this lease: ${variables.join(", ")}.`)
}

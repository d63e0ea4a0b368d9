import { sentencesOf } from "./advice.ts"
import { forLog } from "./escape.ts"
import { toFailure } from "./failure.ts"
import { type LeaseHome, removeDeliveredFiles, type StepLease, savedLeases, savedVariables } from "./lease.ts"
import { logOutcomes } from "./outcomes.ts"
import { type Deadline, startDeadline } from "./retry.ts"
import { info, warn } from "./runner.ts"

/** The end of the job does not wait longer for a broker that is away: it revokes by itself when the lease is over. */
const DEADLINE_MS = 15_000

/**
 * Removes the files that main wrote and revokes the job's leases, whether main succeeded, failed or was cancelled. Does
 * nothing when there are no files and no lease.
 *
 * Never fails the job: if a revocation fails, it prints the time when the credential expires. Does not change the
 * environment: a post step cannot unset a variable, and an empty value would hide what another step had set.
 */
export async function revoke(): Promise<void> {
  await attempt(removeDeliveredFiles)
  await attempt(async () => {
    const saved = savedLeases()
    if (saved === null) return
    const deadline = startDeadline(DEADLINE_MS)
    // Newest first: credentials that were delivered come before an earlier attempt, whose answer never arrived.
    for (const lease of saved.leases.toReversed()) await revokeSaved(lease, saved, deadline)
  })
}

/** A failure becomes a warning, so that the rest of the clean-up still runs. */
async function attempt(act: () => void | Promise<void>): Promise<void> {
  try {
    await act()
  } catch (thrown) {
    warn(forLog(toFailure(thrown).message))
  }
}

async function revokeSaved({ id, expiresAt }: StepLease, home: LeaseHome, deadline: Deadline): Promise<void> {
  try {
    // Loaded when there is a lease: most of the time of a start is spent on node:crypto, which it needs.
    const { revokeLease } = await import("./revoke-lease.ts")
    logOutcomes(await revokeLease(id, home, deadline))
  } catch (thrown) {
    const failure = toFailure(thrown)
    // The request never reached the broker, which has now been told not to mint for it.
    if (expiresAt === null && failure.code === "lease_not_found") return
    const alive = expiresAt === null ? UNCONFIRMED : `${UNREVOKED} They can live until ${expiresAt}.`
    warn(`${alive} ${sentencesOf(failure)}`)
    return
  }
  if (expiresAt === null) return
  const variables = savedVariables()
  if (variables.length > 0) info(`These variables stay set with the values of this lease: ${variables.join(", ")}.`)
}

const UNREVOKED = "The credentials of this job could not be revoked."
const UNCONFIRMED =
  "The broker may have minted credentials for this step although its answer never arrived, and they could not be revoked. The broker revokes what it can when their granted time is over."

import { emptyVariables, removeSavedRecords, savedRecords } from "./emptied.ts"
import { forLog } from "./escape.ts"
import { toFailure } from "./failure.ts"
import { removeJobFolder } from "./job-folder.ts"
import { isKept, isOver, keptLine, type SavedLeases, type StepLease, savedLeases } from "./lease.ts"
import { takeRenewedLeases } from "./renewal/leases.ts"
import { type Deadline, startDeadline } from "./retry.ts"
import { endLease } from "./revoke-lease.ts"
import { info, savedState, warn } from "./runner.ts"

/** The end of the job does not wait longer for a broker that is away: it revokes by itself when the lease is over. */
const DEADLINE_MS = 15_000

/**
 * Leaves nothing behind, whether main succeeded, failed or was cancelled: removes the files that main wrote, empties its
 * variables, revokes the job's leases, and looks for values in the job's files. Does nothing when main saved nothing.
 *
 * It reads no input, and what it does twice is done once. What cannot be done becomes a warning. Only a finding of
 * `sweep: fail` fails the step.
 */
export async function revoke(): Promise<void> {
  // Before the files are removed: later steps noted their leases among them.
  const renewed = takeRenewedLeases()
  await attempt(() => removeJobFolder(savedState("files")))
  const records = savedRecords()
  await attempt(() => emptyVariables(records))
  await attempt(() => revokeSavedLeases(renewed, isKept()))
  await attempt(async () => {
    if (savedState("sweep") === "") return
    const { sweepLeaks } = await import("./leaks.ts")
    if (!(await sweepLeaks(records)) || !isKept()) return
    // What was left behind ends, also if the workflow wanted to keep it.
    info("A value was left behind, so the lease is revoked in spite of `keep`.")
    await revokeSavedLeases(renewed, false)
  })
  await attempt(removeSavedRecords)
}

/**
 * Newest first: credentials that were delivered come before an earlier attempt, whose answer never arrived. Those of later steps
 * come last: any program of the job can add to their file, and must not use up the time for what this step saved itself.
 */
async function revokeSavedLeases(renewed: readonly StepLease[], isKept: boolean): Promise<void> {
  const saved = savedLeases()
  if (saved === null) return
  const deadline = startDeadline(DEADLINE_MS)
  for (const lease of [...renewed, ...saved.leases].toReversed()) {
    if (isOver(lease)) info("A lease of this step is over: nothing is left to revoke.")
    else if (isKept && lease.expiresAt !== null) info(keptLine(lease.expiresAt))
    else await revokeSaved(lease, saved, deadline)
  }
}

/** A failure becomes a warning, so that the rest of the clean-up still runs. */
async function attempt(act: () => void | Promise<void>): Promise<void> {
  try {
    await act()
  } catch (thrown) {
    warn(forLog(toFailure(thrown).message))
  }
}

async function revokeSaved(lease: StepLease, home: SavedLeases, deadline: Deadline): Promise<void> {
  const failure = await endLease(lease, home, deadline)
  if (failure === null) return
  const { sentencesOf } = await import("./advice.ts")
  const alive = lease.expiresAt === null ? UNCONFIRMED : `${UNREVOKED} They can live until ${lease.expiresAt}.`
  warn(`${alive} ${sentencesOf(failure)}`)
}

const UNREVOKED = "The credentials of this job could not be revoked."
const UNCONFIRMED =
  "The broker may have minted credentials for this step although its answer never arrived, and they could not be revoked. The broker revokes what it can when their granted time is over."

import { forLog } from "../escape.ts"
import { toFailure } from "../failure.ts"
import type { IssuedRecords } from "../issued.ts"
import { removeJobFolder } from "../job-folder.ts"
import type { LeaseHome, StepLeases } from "../lease.ts"
import type { Deadline } from "../retry.ts"
import { revokeLease } from "../revoke-lease.ts"
import { info, laterRevocation, warn } from "../runner.ts"

/** What a step had done when it failed. */
interface Begun {
  readonly lease: string
  readonly leases: StepLeases
  readonly home: LeaseHome
  /** The folder of its files; null when it chose none. */
  readonly folder: string | null
  readonly issued: IssuedRecords
}

/** Takes back a delivery that failed. What cannot be taken back now is left to the post step, and a warning says so. */
export async function undo({ lease, leases, home, folder, issued }: Begun, deadline: Deadline): Promise<void> {
  if (folder !== null) removeFiles(folder)
  attempt("A folder of this step could not be removed yet", () => issued.drop())
  try {
    await revokeLease(lease, home, deadline)
    leases.forget(lease)
    info("Nothing was delivered, and the lease was revoked.")
  } catch (thrown) {
    warn(`The lease is not revoked yet; ${laterRevocation()}: ${forLog(toFailure(thrown).message)}`)
  }
}

/** Removes the step's files. A failure does not stop what follows: the post step tries again. */
export const removeFiles = (folder: string): void =>
  attempt("The files of this step could not be removed yet", () => removeJobFolder(folder))

function attempt(otherwise: string, act: () => void): void {
  try {
    act()
  } catch (thrown) {
    warn(`${otherwise}: ${forLog(toFailure(thrown).message)}`)
  }
}

import type { RevokeAnswer } from "../broker/wire/exchange.ts"
import { advice } from "./advice.ts"
import { forLog } from "./escape.ts"
import { toFailure } from "./failure.ts"
import { type HeldLease, heldLease, heldVariables, removeHeldFiles, takeBack } from "./lease.ts"
import { startDeadline } from "./patience.ts"
import { info, warn } from "./runner.ts"

/**
 * Removes the files that main wrote and takes the job's lease back, whether main succeeded, failed or was cancelled. Does
 * nothing where there is neither.
 *
 * Never fails the job: what could not be taken back is told with the time at which it ends by itself. Leaves the
 * environment alone: a post step cannot unset a variable, and a blank one would hide what another step had set.
 */
export async function revoke(): Promise<void> {
  await attempt(removeHeldFiles)
  await attempt(async () => {
    const lease = heldLease()
    if (lease !== null) await revokeHeld(lease)
  })
}

/** One failure keeps nothing else from being cleaned up. */
async function attempt(act: () => void | Promise<void>): Promise<void> {
  try {
    await act()
  } catch (thrown) {
    warn(forLog(toFailure(thrown).message))
  }
}

async function revokeHeld(lease: HeldLease): Promise<void> {
  try {
    tell(await takeBack(lease, startDeadline()))
  } catch (thrown) {
    const failure = toFailure(thrown)
    const alive = `The credentials of this job could not be taken back and can live until ${lease.expiresAt}.`
    const request = failure.requestId === undefined ? "" : ` (request ${failure.requestId})`
    warn(`${alive} ${forLog(failure.message)} ${advice(failure.code)}${request}`)
    return
  }
  const variables = heldVariables()
  if (variables.length > 0) info(`Still set, with values of this lease: ${variables.join(", ")}.`)
}

function tell(credentials: RevokeAnswer["credentials"]): void {
  for (const [grant, { outcome, expires_at: expiresAt }] of Object.entries(credentials)) {
    const end = expiresAt === null ? "does not end by itself" : `ends by itself at ${expiresAt}`
    if (outcome === "revoked") info(`Took back ${grant}.`)
    else if (outcome === "expires-only") info(`Cannot take back ${grant}, which ${end}.`)
    else warn(`${grant} could not be taken back yet; the broker tries again, and it ${end}.`)
  }
}

import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from "node:fs"
import { changeFor } from "../advice.ts"
import { readCredentials, readLease } from "../answer.ts"
import { messageForLog } from "../escape.ts"
import { exchangeForAnswer } from "../exchange.ts"
import { ActionError, toFailure } from "../failure.ts"
import { type KeptAnswer, keptAnswer, type RenewalSettings } from "../files/renewable.ts"
import { startDeadline } from "../retry.ts"
import { idTokenEndpoint, silenceLog } from "../runner.ts"
import { RenewalError } from "./current.ts"

/** Shorter than any SDK waits. */
const DEADLINE_MS = 30_000

/**
 * Exchanges a new subject token of this job for one grant. The lease's id is in the file of leases before the broker is
 * asked, so that the post step revokes it whatever becomes of this process.
 * @throws {RenewalError}
 */
export async function renewGrant(settings: RenewalSettings, leasesFile: string): Promise<KeptAnswer> {
  silenceLog()
  requireIdTokens()
  try {
    const { asker, grant, broker, audience, ttl } = settings
    const inputs = {
      broker,
      audience,
      grants: [grant],
      ...(ttl !== undefined && { ttl }),
      parallelJobs: 1,
    }
    const leases = {
      ask: (id: string) => note(leasesFile, `ask ${id}`),
      forget: (id: string) => {
        // The post step then asks once more, which changes nothing.
        try {
          note(leasesFile, `end ${id}`)
        } catch {}
      },
    }
    const answer = await exchangeForAnswer(inputs, leases, startDeadline(DEADLINE_MS))
    const lease = readLease(answer)
    note(leasesFile, `got ${lease.id} ${lease.expiresAt}`)
    const [credential] = readCredentials(answer, [grant])
    if (credential === undefined) throw new Error("unreachable: exactly one credential was read")
    return keptAnswer(asker, credential)
  } catch (thrown) {
    const failure = toFailure(thrown)
    throw new RenewalError(failure.code, `${messageForLog(failure.message)} ${messageForLog(changeFor(failure))}`)
  }
}

/** @throws {RenewalError} when the environment of this process has no endpoint for ID tokens */
function requireIdTokens(): void {
  if (idTokenEndpoint() !== null) return
  throw new RenewalError(
    "id_token_permission_missing",
    "This process has no ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN. Add `permissions: id-token: write` to the job, and let programs that clear the environment, such as sudo, pass both variables.",
    true,
  )
}

/**
 * Appends a line. The file is the action's: it is never created here, so that nothing is asked for after the post step took
 * it. It is looked at again after the line is in it: the post step moves it before it reads.
 * @throws {ActionError} `lease_not_found` when the step's folder is gone
 */
function note(path: string, line: string): void {
  try {
    const file = openSync(path, constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0))
    try {
      writeSync(file, `${line}\n`)
      if (statSync(path).ino === fstatSync(file).ino) return
    } finally {
      closeSync(file)
    }
  } catch {}
  throw new ActionError("lease_not_found", "The Daypass step that gave this credential has ended.")
}

import { changeFor } from "../advice.ts"
import { readCredentials, readLease } from "../answer.ts"
import { messageForLog } from "../escape.ts"
import { exchangeForAnswer } from "../exchange.ts"
import { toFailure } from "../failure.ts"
import { type KeptAnswer, keptAnswer, type RenewalSettings } from "../files/renewable.ts"
import { startDeadline } from "../retry.ts"
import { idTokenEndpoint, silenceLog } from "../runner.ts"
import { RenewalError } from "./current.ts"
import { RenewalLeases } from "./leases.ts"

/** Shorter than any SDK waits. */
const DEADLINE_MS = 30_000

/**
 * Exchanges a new subject token of this job for one grant.
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
    const leases = new RenewalLeases(leasesFile)
    const answer = await exchangeForAnswer(inputs, leases, startDeadline(DEADLINE_MS))
    leases.confirm(readLease(answer))
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

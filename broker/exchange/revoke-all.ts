import { BrokerError } from "../core/errors.ts"
import type { Secret } from "../core/secret.ts"
import type { RevocationOutcome } from "../wire/exchange.ts"
import type { Broker } from "./broker.ts"
import { limitOf } from "./one-call.ts"
import type { RevokedLease } from "./owed.ts"
import { callIo } from "./provider-io.ts"

/** How long a provider may take to revoke, retries included, in milliseconds. */
const REVOKE_WINDOW_MS = 10_000
/**
 * The same while a job waits for the error of a failed exchange. Slower revocations stay recorded on the lease; the sweep
 * retries them.
 */
export const FAILED_EXCHANGE_WINDOW_MS = 4_000

/**
 * Runs the revocation of a credential of `connection` when it has a place. `left-out`: it was not tried, and the credential
 * is left to the next attempt.
 */
export type Revoking = <Value>(connection: string, act: () => Promise<Value>) => Promise<Value | "left-out">

/** What the revocation of one credential needs. */
export interface Revocable {
  readonly grant: string
  readonly provider: string
  readonly connection: string
  readonly handle: Secret<string>
}

/**
 * Revokes credentials in parallel. Never throws: a credential that could not be revoked is `failed`, and is retried later.
 * The log tells the operator which one, and why.
 */
export async function revokeAll(
  credentials: readonly Revocable[],
  of: RevokedLease,
  broker: Broker,
  windowMs: number = REVOKE_WINDOW_MS,
  revoking: Revoking = (_, act) => limitOf(broker)(act),
): Promise<Record<string, RevocationOutcome>> {
  const outcomes = await Promise.all(
    credentials.map(async (credential) => {
      const { grant, connection } = credential
      const ended = await revoking(connection, () => revokeOne(credential, broker, windowMs))
      if (ended === "left-out") return [grant, "failed"] as const
      if (ended.fault !== null) tellFailure(of, connection, `${grant} is not revoked yet: ${ended.fault}`, broker)
      return [grant, ended.fault === null ? "revoked" : "failed"] as const
    }),
  )
  return Object.fromEntries(outcomes)
}

/** Logs that a credential could not be revoked, and will be tried again. */
export function tellFailure(of: RevokedLease, connection: string, detail: string, broker: Broker): void {
  broker.log({
    event: "revocation.failed",
    detail,
    issuer: of.issuerUrl,
    unit_id: of.unitId,
    lease: of.lease,
    connection,
  })
}

/** `fault`: why the credential could not be revoked; null when it was. The vendor's own text is never part of it. */
async function revokeOne(
  credential: Revocable,
  broker: Broker,
  windowMs: number,
): Promise<{ readonly fault: string | null }> {
  const { clock, pace } = broker
  const provider = broker.providers.get(credential.provider)
  if (!provider?.revoke) return { fault: `this broker has no provider ${credential.provider} that revokes` }
  const begun = clock.elapsed()
  const note = (error: unknown) => pace.note(credential.connection, clock.elapsed() - begun, error)
  try {
    await provider.revoke(credential.handle, credential.connection, callIo(broker, windowMs))
    note(null)
    broker.metrics.count("revocations", { provider: credential.provider, outcome: "revoked" })
    return { fault: null }
  } catch (error) {
    note(error)
    const outcome = error instanceof BrokerError ? error.code : "internal"
    broker.metrics.count("revocations", { provider: credential.provider, outcome })
    return {
      fault: error instanceof BrokerError ? `${error.code}: ${error.detail}` : "the provider failed unexpectedly",
    }
  }
}

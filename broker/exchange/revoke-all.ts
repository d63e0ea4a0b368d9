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
): Promise<Record<string, RevocationOutcome>> {
  const outcomes = await Promise.all(
    credentials.map(async (credential) => {
      const fault = await limitOf(broker)(() => revokeOne(credential, broker, windowMs))
      if (fault !== null)
        tellFailure(of, credential.connection, `${credential.grant} is not revoked yet: ${fault}`, broker)
      return [credential.grant, fault === null ? "revoked" : "failed"] as const
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

/** Why the credential could not be revoked; null when it was. The vendor's own text is never part of it. */
async function revokeOne(credential: Revocable, broker: Broker, windowMs: number): Promise<string | null> {
  const provider = broker.providers.get(credential.provider)
  if (!provider?.revoke) return `this broker has no provider ${credential.provider} that revokes`
  try {
    await provider.revoke(credential.handle, credential.connection, callIo(broker, windowMs))
    return null
  } catch (error) {
    return error instanceof BrokerError ? `${error.code}: ${error.detail}` : "the provider failed unexpectedly"
  }
}

import type { Connection } from "../core/policy/model.ts"
import type { Secret } from "../core/secret.ts"
import type { RevocationOutcome } from "../wire/exchange.ts"
import type { Broker } from "./broker.ts"
import { providerIo } from "./provider-io.ts"

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
  /** Undefined when the organisation file no longer has the connection: then the credential cannot be revoked. */
  readonly connection: Connection | undefined
  readonly handle: Secret<string>
}

/**
 * Revokes credentials in parallel. Never throws: a credential that could not be revoked is `failed`, and is retried later.
 */
export async function revokeAll(
  credentials: readonly Revocable[],
  broker: Broker,
  windowMs: number = REVOKE_WINDOW_MS,
): Promise<Record<string, RevocationOutcome>> {
  const outcomes = await Promise.all(
    credentials.map(async (credential) => [credential.grant, await revokeOne(credential, broker, windowMs)] as const),
  )
  return Object.fromEntries(outcomes)
}

async function revokeOne(credential: Revocable, broker: Broker, windowMs: number): Promise<RevocationOutcome> {
  const { grant, connection } = credential
  const provider = broker.providers.get(credential.provider)
  if (!provider?.revoke || !connection) return "failed"
  try {
    const io = providerIo(broker, { identity: null, grant, connection }, windowMs)
    const request = { connectionName: connection.name, connection: connection.settings }
    await provider.revoke(credential.handle, request, io)
    return "revoked"
  } catch {
    return "failed"
  }
}

import type { Connection } from "../core/policy/model.ts"
import type { Secret } from "../core/secret.ts"
import type { RevocationOutcome } from "../wire/exchange.ts"
import type { Broker } from "./broker.ts"
import { providerIo } from "./provider-io.ts"

/** How long a provider may take to revoke, retries included, in milliseconds: where nobody waits for more than that. */
const REVOKE_WINDOW_MS = 10_000
/** The same while a job waits to be told of a failure. What takes longer stays on the lease's account, and is tried again. */
export const AT_ONCE_WINDOW_MS = 4_000

/** What taking one credential back needs. */
export interface Revocable {
  readonly grant: string
  readonly provider: string
  /** Undefined when the organisation no longer has the connection: then nobody can revoke any more. */
  readonly connection: Connection | undefined
  readonly handle: Secret<string>
}

/** Takes credentials back, all at the same time. Never throws: what could not be revoked is `failed`, and tried again later. */
export async function takeBack(
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

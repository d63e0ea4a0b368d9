import type { Connection } from "../core/policy/model.ts"
import type { Secret } from "../core/secret.ts"
import type { RevocationOutcome } from "../wire/exchange.ts"
import type { Broker } from "./broker.ts"
import { providerIo } from "./provider-io.ts"

/** How long a provider may take to revoke, retries included, in milliseconds. */
const REVOKE_WINDOW_MS = 10_000

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
): Promise<Record<string, RevocationOutcome>> {
  const outcomes = await Promise.all(
    credentials.map(async (credential) => [credential.grant, await revokeOne(credential, broker)] as const),
  )
  return Object.fromEntries(outcomes)
}

async function revokeOne(credential: Revocable, broker: Broker): Promise<RevocationOutcome> {
  const { grant, connection } = credential
  const provider = broker.providers.get(credential.provider)
  if (!provider?.revoke || !connection) return "failed"
  try {
    const io = providerIo(broker, { identity: null, grant, connection }, REVOKE_WINDOW_MS)
    await provider.revoke(credential.handle, connection.settings, io)
    return "revoked"
  } catch {
    return "failed"
  }
}

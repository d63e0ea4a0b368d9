import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { invalid, readJson, unavailable } from "../call.ts"
import type { CallIo } from "../provider.ts"
import { retryTransient } from "../retry.ts"
import { ask, isTokenGone, REVOKE_SELF, refused, type Vault, vaultOf } from "./api.ts"
import type { Lease } from "./minted.ts"

/** What the revocation needs: a Vault token, and the leases that were created with it. */
export interface Holding {
  readonly token: Secret<string>
  readonly leases: readonly string[]
  readonly isBoundToAddresses: boolean
  /** A batch token cannot be revoked and expires by itself. Only the leases are revoked. */
  readonly isBatch?: boolean
}

/** The handle contains Vault's address: by the time of the revocation, the connection may point to another Vault. */
const handle = z.strictObject({
  url: z.string(),
  namespace: z.string().optional(),
  token: z.string(),
  leases: z.array(z.string()),
  bound: z.boolean(),
  batch: z.literal(true).optional(),
})

export function handleOf({ url, namespace }: Vault, holding: Holding): Secret<string> {
  const parts: z.input<typeof handle> = {
    url,
    ...(namespace === undefined ? {} : { namespace }),
    token: holding.token.reveal(),
    leases: [...holding.leases],
    bound: holding.isBoundToAddresses,
    ...(holding.isBatch === true ? { batch: true } : {}),
  }
  return new Secret(JSON.stringify(parts))
}

/** @throws {BrokerError} `internal` for what `handleOf` did not make */
export function openHandle(
  connectionName: string,
  sealed: Secret<string>,
): { readonly vault: Vault; readonly holding: Holding } {
  try {
    const { url, namespace, token, leases, bound, batch } = handle.parse(JSON.parse(sealed.reveal()))
    const vault = vaultOf(connectionName, { url, namespace })
    const holding = { token: new Secret(token), leases, isBoundToAddresses: bound, isBatch: batch === true }
    return { vault, holding }
  } catch {
    throw new BrokerError("internal", "A handle of the provider vault cannot be read.")
  }
}

const renewal = z.object({ lease_id: z.string(), lease_duration: z.int().min(1), renewable: z.boolean() })

/**
 * Sets the end of a lease to this time from now. The increment of a renewal can also shorten a lease.
 *
 * @returns the new lifetime in seconds, which the engine may choose differently; null when Vault refuses
 */
export async function renewLease(
  vault: Vault,
  token: Secret<string>,
  { id }: Lease,
  ttlSeconds: number,
  io: CallIo,
): Promise<number | null> {
  const body = { lease_id: id, increment: ttlSeconds }
  const response = await retryTransient(io, () =>
    ask(vault, { method: "POST", path: "sys/leases/renew", token, body }, io),
  )
  if (response.status !== 200) return null
  const renewed = readJson(vault.side, response, renewal, "a renewal")
  if (renewed.lease_id !== id) throw invalid(vault.side, "is about another lease")
  return renewed.lease_duration
}

/**
 * Revokes a token and the leases that were created with it. Succeeds when they have already ended.
 *
 * The leases come first, and Vault must answer only after it has revoked them. If the role's policies do not allow that,
 * the token itself can still be revoked; Vault then revokes the leases a moment later. If an engine cannot revoke a lease
 * now, the token is kept, so that a retry is possible.
 *
 * @throws {BrokerError}
 */
export async function revokeAll(
  vault: Vault,
  { token, leases, isBoundToAddresses, isBatch = false }: Holding,
  io: CallIo,
): Promise<void> {
  const asking = (path: string, body: unknown) =>
    retryTransient(io, () => ask(vault, { method: "POST", path, token, body }, io))
  for (const id of leases) {
    const response = await asking("sys/leases/revoke", { lease_id: id, sync: true })
    if (isTokenGone(response, isBoundToAddresses)) return
    if (!isDone(response) && (isBatch || response.status !== 403)) throw notYet(vault, response)
  }
  if (isBatch) return
  const response = await asking(REVOKE_SELF, {})
  if (isDone(response) || isTokenGone(response, isBoundToAddresses)) return
  throw refused(vault, response, "the token could not be revoked. Leave Vault's policy default on the role")
}

const isDone = ({ status }: HttpResponse): boolean => status === 200 || status === 204

const notYet = ({ side }: Vault, { status }: HttpResponse): BrokerError =>
  unavailable(
    side,
    `could not revoke a lease of connection ${side.connection} (HTTP ${status}). Check that the secrets engine can reach the system that it mints for`,
  )

import { z } from "zod"
import { BrokerError } from "../../core/errors.ts"
import { Secret } from "../../core/secret.ts"
import type { HttpResponse } from "../../ports/http.ts"
import { invalid, readJson, unavailable } from "../call.ts"
import type { ProviderIo } from "../provider.ts"
import { retryPassing } from "../retry.ts"
import { ask, isTokenGone, REVOKE_SELF, refused, type Vault, vaultOf } from "./api.ts"
import type { Lease } from "./minted.ts"

/** What taking back needs: a Vault token, and the leases that hang on it. */
export interface Holding {
  readonly token: Secret<string>
  readonly leases: readonly string[]
  readonly isBoundToAddresses: boolean
  /** Nobody can revoke the token, which ends by itself: taking the leases back is all. */
  readonly isBatch?: boolean
}

/** Where the credential is goes along: a connection may point at another Vault by the time that it is taken back. */
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
 * Has a lease end after this time, counted from now: the increment of a renewal can shorten as well.
 *
 * @returns what it lives now, in seconds, which an engine may decide otherwise; null when Vault refuses
 */
export async function renewLease(
  vault: Vault,
  token: Secret<string>,
  { id }: Lease,
  ttlSeconds: number,
  io: ProviderIo,
): Promise<number | null> {
  const body = { lease_id: id, increment: ttlSeconds }
  const response = await retryPassing(io, () =>
    ask(vault, { method: "POST", path: "sys/leases/renew", token, body }, io),
  )
  if (response.status !== 200) return null
  const renewed = readJson(vault.side, response, renewal, "a renewal")
  if (renewed.lease_id !== id) throw invalid(vault.side, "renews another lease")
  return renewed.lease_duration
}

/**
 * Takes back a token and the leases that hang on it; succeeds when they are gone already.
 *
 * The leases go first, and Vault is to answer only when that is done. A role whose policies do not allow it can still
 * revoke its token, which has Vault take the leases back on its own, a moment later. A lease that its engine cannot
 * take back now keeps the token, so that it can be tried again.
 *
 * @throws {BrokerError}
 */
export async function revokeAll(
  vault: Vault,
  { token, leases, isBoundToAddresses, isBatch = false }: Holding,
  io: ProviderIo,
): Promise<void> {
  const asking = (path: string, body: unknown) =>
    retryPassing(io, () => ask(vault, { method: "POST", path, token, body }, io))
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
    `could not take a lease of connection ${side.connection} back (HTTP ${status}). See that the secrets engine reaches what it minted for`,
  )

import { invalid } from "../call.ts"
import { type Minted, outlives, type ProviderIo } from "../provider.ts"
import type { Vault } from "./api.ts"
import { handleOf, renewLease } from "./handle.ts"
import { giveUp, type HeldLogin, type Request, whileHolding } from "./login.ts"
import { type DynamicGrant, endOf, type FreshSecret, isStsSession, type Lease, mintOnce } from "./minted.ts"
import { valuesOf } from "./values.ts"

/**
 * Has a secrets engine mint, under a login of its own that ends with what was minted.
 *
 * @throws {BrokerError} with nothing left behind that could be revoked
 */
export function mintDynamic(vault: Vault, grant: DynamicGrant, request: Request, io: ProviderIo): Promise<Minted> {
  return whileHolding(vault, request, io, async (login, hurried) => {
    const { ttlSeconds } = request
    const from = hurried.now()
    const fresh = await mintOnce(vault, grant, login.token, ttlSeconds, hurried)
    const values = valuesOf(vault.side, grant, fresh.data)
    const { lease } = fresh
    if (lease === null) {
      const told = grant.ttl_parameter === undefined ? null : ttlSeconds
      const expiresAt = endWithoutLease(vault, fresh, from, told, ttlSeconds)
      await giveUp(vault, login, hurried)
      return { values, expiresAt, revocation: "expires-only" }
    }
    const leaseEndsAt = await endOfLease(vault, login, lease, from, ttlSeconds, hurried)
    if (isStsSession(fresh.data)) {
      await giveUp(vault, login, hurried)
      return { values, expiresAt: leaseEndsAt, revocation: "expires-only" }
    }
    return {
      values,
      // The lease ends with its token, should that end first.
      expiresAt: new Date(Math.min(leaseEndsAt.getTime(), login.endsAt.getTime())),
      revocation: "revocable",
      handle: handleOf(vault, { ...login, leases: [lease.id] }),
    }
  })
}

/** When a lease ends, shortened to what was granted if it is longer. */
async function endOfLease(
  vault: Vault,
  { token }: HeldLogin,
  lease: Lease,
  from: Date,
  ttlSeconds: number,
  io: ProviderIo,
): Promise<Date> {
  const after = (start: Date, seconds: number) => new Date(start.getTime() + seconds * 1000)
  if (lease.seconds <= ttlSeconds) return after(from, lease.seconds)
  const renewedFrom = io.now()
  const seconds = lease.isRenewable ? await renewLease(vault, token, lease, ttlSeconds, io) : null
  if (seconds !== null && seconds <= ttlSeconds) return after(renewedFrom, seconds)
  throw invalid(
    vault.side,
    `has a lease of ${seconds ?? lease.seconds} s where ${ttlSeconds} s were granted, and it cannot be shortened. Lower the lifetime in the engine's role, or name the grant's ttl_parameter`,
  )
}

function endWithoutLease(
  vault: Vault,
  { data }: FreshSecret,
  from: Date,
  told: number | null,
  ttlSeconds: number,
): Date {
  const end = endOf(data, from, told)
  if (end === null) {
    throw invalid(
      vault.side,
      "has no lease and does not say when it ends. Have the engine make leases, as PKI does with generate_lease, or name the grant's ttl_parameter",
    )
  }
  if (end.getTime() <= from.getTime()) throw invalid(vault.side, "has expired already")
  if (outlives(end, from, ttlSeconds)) {
    throw invalid(
      vault.side,
      "lives longer than was granted. Lower the lifetime in the engine's role, or name the grant's ttl_parameter",
    )
  }
  return end
}

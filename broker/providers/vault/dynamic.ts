import { invalid } from "../call.ts"
import { type Minted, outlives, type ProviderIo } from "../provider.ts"
import type { Vault } from "./api.ts"
import { handleOf, renewLease } from "./handle.ts"
import { after, giveUp, type HeldLogin, type Request, whileHolding } from "./login.ts"
import { type DynamicGrant, type FreshSecret, isStsSession, type Lease, mintOnce } from "./minted.ts"
import { toldEnd } from "./told-end.ts"
import { valuesOf } from "./values.ts"

/**
 * Lets a secrets engine mint, with a separate login that ends together with the minted credential.
 *
 * @throws {BrokerError} after everything revocable was revoked, or a `LeftAliveError` with the handle of what is left
 */
export function mintDynamic(vault: Vault, grant: DynamicGrant, request: Request, io: ProviderIo): Promise<Minted> {
  return whileHolding(vault, request, io, async (login, reservingIo) => {
    const { ttlSeconds } = request
    const from = reservingIo.now()
    const fresh = await mintOnce(vault, grant, login.token, ttlSeconds, reservingIo)
    const values = valuesOf(vault.side, grant, fresh.data)
    const { lease } = fresh
    if (lease === null) {
      const expiresAt = endWithoutLease(vault, grant, fresh, from, ttlSeconds)
      await giveUp(vault, login, reservingIo)
      return { values, expiresAt, revocation: "expires-only" }
    }
    const isSession = isStsSession(fresh.data)
    // A renewal would shorten the lease, but not the session.
    const known = isSession ? { ...lease, isRenewable: false } : lease
    const leaseEndsAt = await endOfLease(vault, login, known, from, ttlSeconds, reservingIo)
    if (isSession) {
      refuseShortenedLease(vault, lease)
      await giveUp(vault, login, reservingIo)
      return { values, expiresAt: leaseEndsAt, revocation: "expires-only" }
    }
    return {
      values,
      // A lease also ends when its token ends.
      expiresAt: new Date(Math.min(leaseEndsAt.getTime(), login.endsAt.getTime())),
      revocation: "revocable",
      handle: handleOf(vault, { ...login, leases: [lease.id] }),
    }
  })
}

/**
 * Refuses a session whose lease Vault may have shortened to the engine's maximum. Vault says so only in a warning. The
 * session itself then lives as long as its cloud was told, and cannot be revoked.
 */
function refuseShortenedLease({ side }: Vault, { isWarned }: Lease): void {
  if (!isWarned) return
  throw invalid(
    side,
    "has a warning about a session's lease, so the session may live longer than granted. Set the max_lease_ttl of the engine's mount to at least the max_sts_ttl of its role; vault read at the grant's path shows the warning",
  )
}

/** When a lease ends. A longer lease is shortened to the granted time. */
async function endOfLease(
  vault: Vault,
  { token }: HeldLogin,
  lease: Lease,
  from: Date,
  ttlSeconds: number,
  io: ProviderIo,
): Promise<Date> {
  if (lease.seconds <= ttlSeconds) return after(from, lease.seconds)
  const renewedFrom = io.now()
  const seconds = lease.isRenewable ? await renewLease(vault, token, lease, ttlSeconds, io) : null
  if (seconds !== null && seconds <= ttlSeconds) return after(renewedFrom, seconds)
  throw invalid(
    vault.side,
    `has a lease of ${seconds ?? lease.seconds} s, but ${ttlSeconds} s were granted, and it cannot be shortened. Lower the lifetime in the engine's role, or name its ttl_parameter in the connection's dynamic`,
  )
}

/**
 * When a credential without a lease ends: the end that the engine names, or else the granted time, if the connection
 * declares that the engine obeys a ttl parameter.
 */
function endWithoutLease(
  vault: Vault,
  { engine }: DynamicGrant,
  { data }: FreshSecret,
  from: Date,
  ttlSeconds: number,
): Date {
  const told = toldEnd(data, from)
  if (told === "unreadable") throw invalid(vault.side, "has no lease, and its end is not readable")
  const end = told ?? (engine.ttl_parameter === undefined ? null : after(from, ttlSeconds))
  if (end === null) {
    throw invalid(
      vault.side,
      "has no lease and does not say when it ends. Let the engine make leases, as PKI does with generate_lease; or name, at its path in the connection's dynamic, the ttl_parameter that it obeys",
    )
  }
  if (end.getTime() <= from.getTime()) throw invalid(vault.side, "has already expired")
  if (outlives(end, from, ttlSeconds)) {
    throw invalid(
      vault.side,
      "lives longer than was granted. Lower the lifetime in the engine's role, or name its ttl_parameter in the connection's dynamic",
    )
  }
  return end
}

import { invalid } from "../call.ts"
import { type Minted, outlives, type ProviderIo } from "../provider.ts"
import type { Vault } from "./api.ts"
import { handleOf, renewLease } from "./handle.ts"
import { after, giveUp, type HeldLogin, type Request, whileHolding } from "./login.ts"
import { type DynamicGrant, type FreshSecret, isStsSession, type Lease, mintOnce } from "./minted.ts"
import { toldEnd } from "./told-end.ts"
import { valuesOf } from "./values.ts"

/**
 * Has a secrets engine mint, under a login of its own that ends with what was minted.
 *
 * @throws {BrokerError} with nothing left behind that could be revoked, or a `LeftAliveError` that says how
 */
export function mintDynamic(vault: Vault, grant: DynamicGrant, request: Request, io: ProviderIo): Promise<Minted> {
  return whileHolding(vault, request, io, async (login, hurried) => {
    const { ttlSeconds } = request
    const from = hurried.now()
    const fresh = await mintOnce(vault, grant, login.token, ttlSeconds, hurried)
    const values = valuesOf(vault.side, grant, fresh.data)
    const { lease } = fresh
    if (lease === null) {
      const expiresAt = endWithoutLease(vault, grant, fresh, from, ttlSeconds)
      await giveUp(vault, login, hurried)
      return { values, expiresAt, revocation: "expires-only" }
    }
    const isSession = isStsSession(fresh.data)
    // A renewal would shorten the lease and not the session.
    const known = isSession ? { ...lease, isRenewable: false } : lease
    const leaseEndsAt = await endOfLease(vault, login, known, from, ttlSeconds, hurried)
    if (isSession) {
      refuseCut(vault, lease)
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

/**
 * Refuses a session whose lease Vault may have cut at the engine's own maximum, which it tells in a warning alone: the
 * session lives on for as long as its cloud was told, and nobody could take it back.
 */
function refuseCut({ side }: Vault, { isWarned }: Lease): void {
  if (!isWarned) return
  throw invalid(
    side,
    "warns about a session's lease, so that the session may live longer. Give the engine's mount a max_lease_ttl of no less than its role's max_sts_ttl; vault read at the grant's path shows the warning",
  )
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
  if (lease.seconds <= ttlSeconds) return after(from, lease.seconds)
  const renewedFrom = io.now()
  const seconds = lease.isRenewable ? await renewLease(vault, token, lease, ttlSeconds, io) : null
  if (seconds !== null && seconds <= ttlSeconds) return after(renewedFrom, seconds)
  throw invalid(
    vault.side,
    `has a lease of ${seconds ?? lease.seconds} s where ${ttlSeconds} s were granted, and it cannot be shortened. Lower the lifetime in the engine's role, or name its ttl_parameter in the connection's dynamic`,
  )
}

/**
 * When what has no lease ends: by what the engine says of it; else by what it was told, where the connection says that it
 * heeds that.
 */
function endWithoutLease(
  vault: Vault,
  { engine }: DynamicGrant,
  { data }: FreshSecret,
  from: Date,
  ttlSeconds: number,
): Date {
  const told = toldEnd(data, from)
  if (told === "unreadable") throw invalid(vault.side, "has no lease and says in no readable way when it ends")
  const end = told ?? (engine.ttl_parameter === undefined ? null : after(from, ttlSeconds))
  if (end === null) {
    throw invalid(
      vault.side,
      "has no lease and does not say when it ends. Have the engine make leases, as PKI does with generate_lease; or name, at its path in the connection's dynamic, the ttl_parameter that it heeds",
    )
  }
  if (end.getTime() <= from.getTime()) throw invalid(vault.side, "has expired already")
  if (outlives(end, from, ttlSeconds)) {
    throw invalid(
      vault.side,
      "lives longer than was granted. Lower the lifetime in the engine's role, or name its ttl_parameter in the connection's dynamic",
    )
  }
  return end
}

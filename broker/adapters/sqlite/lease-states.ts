import { BrokerError } from "../../core/errors.ts"
import type { LeaseCredentialState } from "../../ports/ledger.ts"
import type { RevocationOutcome } from "../../wire/exchange.ts"
import { diesAt, end, endWithTime, isAlive, type LeaseTimes, overAt, takeBackAt, wasTried } from "./credential-ends.ts"

/**
 * How a lease ends. `revoked`: everything was taken back. `expires-only`: something could not be taken back and lives
 * until it expires. `expired`: its time ran out first. `failed`: nothing was minted, or all of it was taken back at once.
 */
export type LeaseEnd = "revoked" | "expired" | "expires-only" | "failed"

/**
 * `open`: the intent is durable, the outcome unknown. `active`: minted, and nobody is at it. `revoking`: something of it is
 * being taken back, or waits for the next attempt.
 */
export type LeaseState = "open" | "active" | "revoking" | LeaseEnd

export interface Lease extends LeaseTimes {
  readonly state: LeaseState
  /** Unix milliseconds: when the broker must look at it next; for a closed one, when it may be forgotten. */
  readonly dueAt: number
  /** How often taking back was begun for what is being taken back. */
  readonly attempts: number
  readonly credentials: readonly LeaseCredentialState[]
}

/** What may follow what. Closed leases stay as they are; every open state leads to a closed one when its time comes. */
const NEXT: Readonly<Record<LeaseState, ReadonlySet<LeaseState>>> = {
  open: new Set(["active", "revoking", "failed", "expires-only", "expired"]),
  active: new Set(["active", "revoking", "expired", "expires-only"]),
  revoking: new Set(["active", "revoking", "revoked", "expired", "expires-only"]),
  revoked: new Set(),
  expired: new Set(),
  "expires-only": new Set(),
  failed: new Set(),
}

/**
 * How long a revocation that was begun is left alone. Longer than the deadline of a call to a provider, so that nobody
 * begins one again while it runs.
 */
const REVOCATION_MS = 60_000
/** The longest wait between two attempts: a provider that is down for a day is asked once an hour. */
const LONGEST_WAIT_MS = 60 * 60_000
/** How long a closed lease still answers a second revocation: longer than any job may run. */
const CLOSED_KEPT_MS = 36 * 24 * 60 * 60_000

/** Whether a lease has come to its end; nothing follows it. */
export function isClosed(state: LeaseState): state is LeaseEnd {
  return NEXT[state].size === 0
}

/** All grants were minted: the lease is due when the first of them is to be taken back, or the last has expired. */
export function minted(lease: Lease, credentials: readonly LeaseCredentialState[]): Lease {
  mustBeOpen(lease)
  return goOn({ ...lease, credentials })
}

/** The exchange failed; `leftovers` were minted and not taken back at once. */
export function failed(lease: Lease, leftovers: readonly LeaseCredentialState[], now: number): Lease {
  mustBeOpen(lease)
  if (leftovers.length === 0) return close(lease, "failed", now)
  return carryOn(passTime({ ...lease, overSince: now, triedAt: now, credentials: leftovers }, now), now)
}

/** The job ends its lease: what only expires is let be, what can be revoked is left for the caller. */
export function revocationBegun(lease: Lease, now: number): Lease {
  const over = Math.min(lease.overSince ?? now, now)
  return begin(passTime({ ...lease, overSince: over }, now), now)
}

/**
 * The job ends its lease while the broker takes a part of it back: the rest is over, too, and next. The lease as it is when
 * that was known before.
 */
export function revocationAsked(lease: Lease, now: number): Lease {
  if (lease.overSince !== null) return lease
  // Later than what is being tried, by whatever clock that was: the rest must not pass for it.
  const over = Math.max(now, (lease.triedAt ?? 0) + 1)
  const next = passTime({ ...lease, overSince: over }, now)
  return move(next, { dueAt: nextDue(next, lease.dueAt) })
}

/** Taking back came out like this. Closes the lease, tries again later, or lets go on what is not over. */
export function revocationEnded(
  lease: Lease,
  outcomes: Readonly<Record<string, RevocationOutcome>>,
  now: number,
): Lease {
  const credentials = lease.credentials.map((credential) => {
    const outcome = Object.hasOwn(outcomes, credential.grant) ? outcomes[credential.grant] : undefined
    return isAlive(credential) && outcome === "revoked" ? end(credential, "revoked") : credential
  })
  return carryOn(passTime({ ...lease, credentials }, now), now)
}

/** The lease's time has come: it closes, the revocation of what is over begins (again), or the rest goes on. */
export function timeCame(lease: Lease, now: number): Lease {
  const next = passTime(lease, now)
  if (!next.credentials.some(isAlive)) return close(next, endOf(next.credentials), now)
  return next.credentials.some((credential) => takeBackAt(credential, next) <= now) ? begin(next, now) : goOn(next)
}

/** Whether this attempt's outcome was overtaken by another attempt, after which the lease has closed or goes on. */
export function isOvertaken(lease: Lease): boolean {
  return isClosed(lease.state) || (lease.state === "active" && lease.triedAt !== null)
}

/** What taking back may touch: what has ended, for the record, and what the attempt that has just begun is about. */
export function inHand(lease: Lease): readonly LeaseCredentialState[] {
  return lease.credentials.filter((credential) => !isAlive(credential) || wasTried(credential, lease))
}

/** The grants that are being taken back in `after` because their time is over, and were not in `before`. */
export function newlyOver(before: Lease, after: Lease): readonly string[] {
  if (after.overSince !== null) return []
  const known = new Set(before.credentials.filter((one) => wasTried(one, before)).map(({ grant }) => grant))
  return after.credentials.filter((one) => wasTried(one, after) && !known.has(one.grant)).map(({ grant }) => grant)
}

function passTime(lease: Lease, now: number): Lease {
  return { ...lease, credentials: endWithTime(lease.credentials, lease, now) }
}

/** Everything that is over is tried. What is tried for the first time does not wait as long as what failed before. */
function begin(lease: Lease, now: number): Lease {
  const over = lease.credentials.filter((credential) => takeBackAt(credential, lease) <= now)
  const attempts = over.every((credential) => wasTried(credential, lease)) ? lease.attempts : 0
  const next = { ...lease, triedAt: now }
  return move(next, { state: "revoking", dueAt: nextDue(next, now + waitAfter(attempts)), attempts: attempts + 1 })
}

/** Closes the lease, leaves what was tried and lives on for the next attempt, or lets the rest wait for its own time. */
function carryOn(lease: Lease, now: number): Lease {
  if (!lease.credentials.some(isAlive)) return close(lease, endOf(lease.credentials), now)
  if (!lease.credentials.some((credential) => wasTried(credential, lease))) return goOn(lease)
  return move(lease, { state: "revoking", dueAt: nextDue(lease, now + waitAfter(lease.attempts)) })
}

/** Nobody is at the lease until something of it is over, which can be at once. */
function goOn(lease: Lease): Lease {
  return move(lease, { state: "active", dueAt: nextDue(lease, lease.endsBy) })
}

/**
 * When the broker must look at the lease next. What was tried is tried again at `retryAt`, but nobody waits for an attempt at
 * what has expired by then. What was not tried is taken back when it is over, once nobody can be at the lease any more.
 */
function nextDue(lease: Lease, retryAt: number): number {
  const alive = lease.credentials.filter(isAlive)
  if (alive.length === 0) return retryAt
  const tried = alive.filter((credential) => wasTried(credential, lease))
  const untried = alive.filter((credential) => !wasTried(credential, lease))
  const next = Math.min(...untried.map((credential) => takeBackAt(credential, lease)))
  if (tried.length === 0) return Math.min(next, Math.max(...alive.map((credential) => overAt(credential, lease))))
  const lastDies = Math.max(...tried.map(diesAt))
  return Math.min(retryAt, lastDies, Math.max(next, (lease.triedAt ?? 0) + REVOCATION_MS))
}

/** Waits double, up to an hour. */
function waitAfter(attempts: number): number {
  return Math.min(REVOCATION_MS * 2 ** Math.min(attempts, 16), LONGEST_WAIT_MS)
}

/** The weakest thing that is true of all credentials. A lease without any is one whose exchange never came out: it expired. */
function endOf(credentials: readonly LeaseCredentialState[]): LeaseEnd {
  const ends = new Set(credentials.map((credential) => credential.ended))
  if (ends.has("expires-only")) return "expires-only"
  return ends.has("expired") || ends.size === 0 ? "expired" : "revoked"
}

function close(lease: Lease, state: LeaseEnd, now: number): Lease {
  return move(lease, { state, dueAt: now + CLOSED_KEPT_MS })
}

/** An exchange comes out once: a second outcome would bring credentials back that have ended. */
function mustBeOpen(lease: Lease): void {
  if (lease.state !== "open") throw new BrokerError("internal", `this lease was settled before: it is ${lease.state}`)
}

function move(lease: Lease, to: Partial<Lease>): Lease {
  const next = { ...lease, ...to }
  if (NEXT[lease.state].has(next.state)) return next
  throw new BrokerError("internal", `a lease that is ${lease.state} cannot become ${next.state}`)
}

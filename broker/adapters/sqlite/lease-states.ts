import { BrokerError } from "../../core/errors.ts"
import type { LeaseCredentialState } from "../../ports/ledger.ts"
import type { RevocationOutcome } from "../../wire/exchange.ts"

/**
 * How a lease ends. `revoked`: everything was taken back. `expires-only`: something could not be taken back and lives
 * until it expires. `expired`: its time ran out first. `failed`: nothing was minted, or all of it was taken back at once.
 */
export type LeaseEnd = "revoked" | "expired" | "expires-only" | "failed"

/** `open`: the intent is durable, the outcome unknown. `active`: minted. `revoking`: being taken back. */
export type LeaseState = "open" | "active" | "revoking" | LeaseEnd

export interface Lease {
  readonly state: LeaseState
  /** Unix milliseconds: when an open lease's credentials would all be dead. */
  readonly endsBy: number
  /** Unix milliseconds: when the broker must look at it next; for a closed one, when it may be forgotten. */
  readonly dueAt: number
  /** How often taking back was begun. */
  readonly attempts: number
  readonly credentials: readonly LeaseCredentialState[]
}

/** What may follow what. Closed leases stay as they are; every open state leads to a closed one when its time comes. */
const NEXT: Readonly<Record<LeaseState, ReadonlySet<LeaseState>>> = {
  open: new Set(["active", "revoking", "failed", "expires-only", "expired"]),
  active: new Set(["revoking", "expired", "expires-only"]),
  revoking: new Set(["revoking", "revoked", "expired", "expires-only"]),
  revoked: new Set(),
  expired: new Set(),
  "expires-only": new Set(),
  failed: new Set(),
}

/**
 * How long a revocation that was begun is left alone. Longer than the deadline of a call to a provider, so that nobody
 * begins one again while it runs.
 */
export const REVOCATION_MS = 60_000
/** The longest wait between two attempts: a provider that is down for a day is asked once an hour. */
export const LONGEST_WAIT_MS = 60 * 60_000
/** How long a closed lease still answers a second revocation: longer than any job may run. */
export const CLOSED_KEPT_MS = 36 * 24 * 60 * 60_000

/** Whether a lease has come to its end; nothing follows it. */
export function isClosed(state: LeaseState): state is LeaseEnd {
  return NEXT[state].size === 0
}

/** All grants were minted: the lease is due when the last of them has expired. */
export function minted(lease: Lease, credentials: readonly LeaseCredentialState[]): Lease {
  mustBeOpen(lease)
  const ends = credentials.map((credential) => credential.expiresAt ?? lease.endsBy)
  return move(lease, { state: "active", dueAt: ends.length === 0 ? lease.endsBy : Math.max(...ends), credentials })
}

/** The exchange failed; `leftovers` were minted and not taken back at once. */
export function failed(lease: Lease, leftovers: readonly LeaseCredentialState[], now: number): Lease {
  mustBeOpen(lease)
  return leftovers.length === 0 ? close(lease, "failed", [], now) : takeBack(lease, expire(leftovers, now), now)
}

/** Taking back begins: what only expires is let be, what can be revoked is left for the caller. */
export function revocationBegun(lease: Lease, now: number): Lease {
  return move(lease, beginning(lease, letBe(expire(lease.credentials, now)), now))
}

/** Taking back came out like this. Closes the lease unless something is still alive and revocable. */
export function revocationEnded(
  lease: Lease,
  outcomes: Readonly<Record<string, RevocationOutcome>>,
  now: number,
): Lease {
  const credentials = lease.credentials.map((credential) => {
    const outcome = Object.hasOwn(outcomes, credential.grant) ? outcomes[credential.grant] : undefined
    return credential.ended === null && outcome === "revoked" ? end(credential, "revoked") : credential
  })
  return takeBack(lease, expire(credentials, now), now)
}

/** The lease's time has come: it closes, or its revocation begins (again). */
export function timeCame(lease: Lease, now: number): Lease {
  if (lease.state === "open") return close(lease, "expired", [], now)
  const credentials = letBe(expire(lease.credentials, now))
  if (!credentials.some(isAlive)) return close(lease, endOf(credentials), credentials, now)
  return move(lease, beginning(lease, credentials, now))
}

/** Whether a credential's end is not known yet. */
export function isAlive(credential: LeaseCredentialState): boolean {
  return credential.ended === null
}

/** Closes the lease, or leaves what is still alive for the next attempt. */
function takeBack(lease: Lease, from: readonly LeaseCredentialState[], now: number): Lease {
  const credentials = letBe(from)
  if (!credentials.some(isAlive)) return close(lease, endOf(credentials), credentials, now)
  return move(lease, { state: "revoking", dueAt: nextAttempt(lease.attempts, credentials, now), credentials })
}

function beginning(lease: Lease, credentials: readonly LeaseCredentialState[], now: number): Partial<Lease> {
  const dueAt = nextAttempt(lease.attempts, credentials, now)
  return { state: "revoking", dueAt, attempts: lease.attempts + 1, credentials }
}

/** Waits double, up to an hour; but nobody waits for an attempt at what has expired by then. */
function nextAttempt(attempts: number, credentials: readonly LeaseCredentialState[], now: number): number {
  const wait = Math.min(REVOCATION_MS * 2 ** Math.min(attempts, 16), LONGEST_WAIT_MS)
  const alive = credentials.filter(isAlive)
  if (alive.length === 0) return now + wait
  return Math.min(now + wait, Math.max(...alive.map((credential) => credential.expiresAt ?? Number.POSITIVE_INFINITY)))
}

/** The weakest thing that is true of all credentials. */
function endOf(credentials: readonly LeaseCredentialState[]): LeaseEnd {
  const ends = new Set(credentials.map((credential) => credential.ended))
  if (ends.has("expires-only")) return "expires-only"
  return ends.has("expired") || ends.size === 0 ? "expired" : "revoked"
}

function expire(credentials: readonly LeaseCredentialState[], now: number): readonly LeaseCredentialState[] {
  return credentials.map((credential) =>
    isAlive(credential) && credential.expiresAt !== null && credential.expiresAt <= now
      ? end(credential, "expired")
      : credential,
  )
}

function letBe(credentials: readonly LeaseCredentialState[]): readonly LeaseCredentialState[] {
  return credentials.map((credential) =>
    isAlive(credential) && credential.revocation === "expires-only" ? end(credential, "expires-only") : credential,
  )
}

function end(credential: LeaseCredentialState, ended: "revoked" | "expired" | "expires-only"): LeaseCredentialState {
  return { ...credential, ended, sealedHandle: null }
}

function close(lease: Lease, state: LeaseEnd, credentials: readonly LeaseCredentialState[], now: number): Lease {
  return move(lease, { state, dueAt: now + CLOSED_KEPT_MS, credentials })
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

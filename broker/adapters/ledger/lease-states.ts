// Long because a lease has one diagram: every transition is read in one place.
import { BrokerError } from "../../core/errors.ts"
import type { LeaseCredentialState, LeaseOpening } from "../../ports/ledger.ts"
import type { RevocationOutcome } from "../../wire/exchange.ts"
import { diesAt, end, endWithTime, isAlive, type LeaseTimes, overAt, revokeAt, wasTried } from "./credential-ends.ts"

/**
 * How a lease ends. `revoked`: every credential was revoked. `expires-only`: a credential could not be revoked and lives
 * until it expires. `expired`: a credential expired first, or the exchange was interrupted and its outcome is unknown.
 * `failed`: nothing was minted, or everything was revoked immediately.
 */
export type LeaseEnd = "revoked" | "expired" | "expires-only" | "failed"

/**
 * `open`: the intent is durable, and the outcome is unknown. `active`: minted, and no revocation is running. `revoking`: a
 * revocation is running, or waits for the next attempt.
 */
export type LeaseState = "open" | "active" | "revoking" | LeaseEnd

export interface Lease extends LeaseTimes {
  readonly state: LeaseState
  /** Unix milliseconds: until when what an interrupted exchange minted may live; 0 when nothing can, or it is settled. */
  readonly unknownUntil: number
  /** Unix milliseconds: when the broker must process the lease next. For a closed lease: when it may be deleted. */
  readonly dueAt: number
  /** How many attempts were made to revoke the credentials that are being revoked. */
  readonly attempts: number
  readonly credentials: readonly LeaseCredentialState[]
}

/** The allowed transitions. A closed lease never changes. Every other state leads to a closed one in time. */
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
 * How long a running revocation is left alone. Longer than the deadline of a call to a provider, so that no second attempt
 * begins while the first is running.
 */
const REVOCATION_MS = 60_000
/** The longest pause between two attempts: a provider that is down for a day is called once an hour. */
const LONGEST_WAIT_MS = 60 * 60_000
/** How long a closed lease is kept to answer a second revocation: longer than any job can run. */
const CLOSED_KEPT_MS = 36 * 24 * 60 * 60_000

/** Whether a lease has ended. A closed state is final. */
export function isClosed(state: LeaseState): state is LeaseEnd {
  return NEXT[state].size === 0
}

/** A lease whose intent is recorded. It is due when its exchange must have an outcome. */
export function opened({ endsBy, settleBy, unknownUntil }: LeaseOpening): Lease {
  return {
    state: "open",
    endsBy,
    overSince: null,
    triedAt: null,
    dueAt: settleBy,
    attempts: 0,
    unknownUntil,
    credentials: [],
  }
}

/**
 * The job ends a lease whose exchange is still under way, or was interrupted: what it mints is not handed out any more. Returns
 * the same object when the job had ended it before.
 *
 * The lease stays open. A running exchange revokes what it has minted, and then records what it could not revoke; another
 * revocation beside it could come before the mint, and call revoked what is minted a moment later. For an exchange that was
 * interrupted, the sweep does it: when no exchange can be running any more.
 */
export function endedEarly(lease: Lease, now: number): Lease {
  return lease.overSince === null ? { ...lease, overSince: now } : lease
}

/** Something that can be revoked is about to be minted. */
export function prepared(lease: Lease, credential: LeaseCredentialState): Lease {
  mustBeOpen(lease)
  mustBeWanted(lease)
  return { ...lease, credentials: [...lease.credentials, credential] }
}

/** All grants were minted. The lease is due when the first credential must be revoked, or when the last has expired. */
export function minted(lease: Lease, credentials: readonly LeaseCredentialState[]): Lease {
  mustBeOpen(lease)
  mustBeWanted(lease)
  return waitForNextEnd({ ...lease, unknownUntil: 0, credentials })
}

/** The exchange failed. `leftovers` were minted and could not be revoked immediately. */
export function failed(lease: Lease, leftovers: readonly LeaseCredentialState[], now: number): Lease {
  mustBeOpen(lease)
  const settled = { ...lease, unknownUntil: 0, credentials: leftovers }
  if (leftovers.length === 0) return close(settled, "failed", now)
  return settleAttempt(endByTime({ ...settled, overSince: now, triedAt: now }, now), now)
}

/** The job ends its lease. Credentials that only expire are closed; the caller must revoke the others. */
export function revocationBegun(lease: Lease, now: number): Lease {
  const over = Math.min(lease.overSince ?? now, now)
  return begin(endByTime({ ...lease, overSince: over }, now), now)
}

/**
 * The job ends its lease while the broker is revoking a part of it. The other credentials are now over too, and are revoked
 * next. Returns the same object when the lease was over already.
 */
export function revocationAsked(lease: Lease, now: number): Lease {
  if (lease.overSince !== null) return lease
  // Later than the running attempt, even if its clock was ahead: the other credentials must not count as tried by it.
  const over = Math.max(now, (lease.triedAt ?? 0) + 1)
  const next = endByTime({ ...lease, overSince: over }, now)
  return move(next, { dueAt: nextDue(next, lease.dueAt) })
}

/**
 * An operator ends some of a lease's credentials before their time: the granted time of those that can be revoked is over. The
 * lease goes on with the others. Returns the same object when that changes nothing; an open lease has handed out nothing yet.
 */
export function cutShort(lease: Lease, isMeant: (credential: LeaseCredentialState) => boolean, now: number): Lease {
  if (lease.state !== "active" && lease.state !== "revoking") return lease
  // Later than the running attempt, as in `revocationAsked`.
  const over = Math.max(now, (lease.triedAt ?? 0) + 1)
  const credentials = lease.credentials.map((credential) => {
    const ends = revokeAt(credential, lease)
    return isMeant(credential) && ends > over && ends < Infinity ? { ...credential, grantedUntil: over } : credential
  })
  if (credentials.every((credential, index) => credential === lease.credentials[index])) return lease
  const next = { ...lease, credentials }
  return move(next, { dueAt: nextDue(next, lease.state === "revoking" ? lease.dueAt : lease.endsBy) })
}

/** Stores the outcomes of a revocation. Closes the lease, plans a retry, or waits for the credentials that are not over. */
export function revocationEnded(
  lease: Lease,
  outcomes: Readonly<Record<string, RevocationOutcome>>,
  now: number,
): Lease {
  const credentials = lease.credentials.map((credential) => {
    const outcome = Object.hasOwn(outcomes, credential.grant) ? outcomes[credential.grant] : undefined
    return isAlive(credential) && outcome === "revoked" ? end(credential, "revoked") : credential
  })
  return settleAttempt(endByTime({ ...lease, credentials }, now), now)
}

/** Whether another call is revoking the lease at `now`. */
export function isBusy(lease: Lease, now: number): boolean {
  return (
    lease.state === "revoking" && lease.triedAt !== null && now < lease.triedAt + REVOCATION_MS && lease.dueAt > now
  )
}

/** The lease is due. It closes, or a revocation begins (again), or it waits for the credentials that are not over. */
export function becameDue(due: Lease, now: number): Lease {
  // An exchange without an outcome was interrupted: what was prepared for it belongs to nobody.
  const lease = due.state === "open" ? { ...due, overSince: now } : due
  const next = endByTime(lease, now)
  if (!next.credentials.some(isAlive)) return close(next, endOf(next.credentials), now)
  return next.credentials.some((credential) => revokeAt(credential, next) <= now)
    ? begin(next, now)
    : waitForNextEnd(next)
}

/** A lease that `becameDue`, but must wait until `until` (Unix milliseconds). It was not tried, so its pause does not grow. */
export function postponed(due: Lease, begun: Lease, until: number): Lease {
  return { ...begun, attempts: due.attempts, dueAt: Math.max(nextDue(begun, until), (begun.triedAt ?? 0) + 1) }
}

/** Whether another attempt has already settled this revocation, so that the lease is closed or active again. */
export function isOvertaken(lease: Lease): boolean {
  return isClosed(lease.state) || (lease.state === "active" && lease.triedAt !== null)
}

/** The credentials for the attempt that has just begun: those to revoke now, and those that have ended, for the record. */
export function revocableNow(lease: Lease): readonly LeaseCredentialState[] {
  return lease.credentials.filter((credential) => !isAlive(credential) || wasTried(credential, lease))
}

/** The grants whose revocation began with `after`, because their granted time is over, and not already in `before`. */
export function newlyExpired(before: Lease, after: Lease): readonly string[] {
  if (after.overSince !== null) return []
  const known = new Set(before.credentials.filter((one) => wasTried(one, before)).map(({ grant }) => grant))
  return after.credentials.filter((one) => wasTried(one, after) && !known.has(one.grant)).map(({ grant }) => grant)
}

function endByTime(lease: Lease, now: number): Lease {
  return { ...lease, credentials: endWithTime(lease.credentials, lease, now) }
}

/** Begins an attempt for everything that is over. A first attempt resets the pause, which grows with failed attempts. */
function begin(lease: Lease, now: number): Lease {
  const over = lease.credentials.filter((credential) => revokeAt(credential, lease) <= now)
  const attempts = over.every((credential) => wasTried(credential, lease)) ? lease.attempts : 0
  const next = { ...lease, triedAt: now }
  return move(next, { state: "revoking", dueAt: nextDue(next, now + waitAfter(attempts)), attempts: attempts + 1 })
}

/** After an attempt: closes the lease, plans the retry of credentials that are still alive, or waits for the next end. */
function settleAttempt(lease: Lease, now: number): Lease {
  if (!lease.credentials.some(isAlive)) return close(lease, endOf(lease.credentials), now)
  if (!lease.credentials.some((credential) => wasTried(credential, lease))) return waitForNextEnd(lease)
  return move(lease, { state: "revoking", dueAt: nextDue(lease, now + waitAfter(lease.attempts)) })
}

/** No revocation is running until the next credential is over, which may be immediately. */
function waitForNextEnd(lease: Lease): Lease {
  return move(lease, { state: "active", dueAt: nextDue(lease, lease.endsBy) })
}

/**
 * When the broker must process the lease next. Tried credentials are retried at `retryAt`, or earlier when the last of them
 * expires before. Credentials that were not tried are revoked when they are over, but only after a running attempt must
 * have ended.
 */
function nextDue(lease: Lease, retryAt: number): number {
  const alive = lease.credentials.filter(isAlive)
  if (alive.length === 0) return retryAt
  const tried = alive.filter((credential) => wasTried(credential, lease))
  const untried = alive.filter((credential) => !wasTried(credential, lease))
  const next = Math.min(...untried.map((credential) => revokeAt(credential, lease)))
  if (tried.length === 0) return Math.min(next, Math.max(...alive.map((credential) => overAt(credential, lease))))
  const lastDies = Math.max(...tried.map(diesAt))
  return Math.min(retryAt, lastDies, Math.max(next, (lease.triedAt ?? 0) + REVOCATION_MS))
}

/** The pause doubles with each attempt, up to one hour. */
function waitAfter(attempts: number): number {
  return Math.min(REVOCATION_MS * 2 ** Math.min(attempts, 16), LONGEST_WAIT_MS)
}

/** The end of the lease: the weakest end among its credentials. Without credentials, its exchange never ended: it expired. */
function endOf(credentials: readonly LeaseCredentialState[]): LeaseEnd {
  const ends = new Set(credentials.map((credential) => credential.ended))
  if (ends.has("expires-only")) return "expires-only"
  return ends.has("expired") || ends.size === 0 ? "expired" : "revoked"
}

function close(lease: Lease, state: LeaseEnd, now: number): Lease {
  return move(lease, { state, dueAt: now + CLOSED_KEPT_MS })
}

/** An exchange has one outcome: a second one would make ended credentials alive again. */
function mustBeOpen(lease: Lease): void {
  if (lease.state === "open") return
  const message = "The outcome of this exchange came too late, or twice. Nothing was handed out."
  throw new BrokerError("ledger_unavailable", message, { cause: new Error(`the lease is ${lease.state}`) })
}

/** Nothing is handed out for a lease that its job has ended. Its exchange can only fail. */
function mustBeWanted(lease: Lease): void {
  if (lease.overSince === null) return
  throw new BrokerError("client_gone", "The job ended this lease while its credentials were minted.")
}

function move(lease: Lease, to: Partial<Lease>): Lease {
  const next = { ...lease, ...to }
  if (NEXT[lease.state].has(next.state)) return next
  throw new BrokerError("internal", `a lease that is ${lease.state} cannot become ${next.state}`)
}

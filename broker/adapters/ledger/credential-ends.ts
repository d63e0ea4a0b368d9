import type { LeaseCredentialState } from "../../ports/ledger.ts"

/** The times of a lease that decide when its credentials must end. All are Unix milliseconds. */
export interface LeaseTimes {
  /** The end of an open lease, and of credentials that have neither an expiry nor a granted time. */
  readonly endsBy: number
  /** Since when the whole lease is over, because its job ended it or its exchange failed. Null: not yet. */
  readonly overSince: number | null
  /** When the last revocation attempt began. Null: never. */
  readonly triedAt: number | null
}

/** Whether a credential has no known end yet. */
export function isAlive(credential: LeaseCredentialState): boolean {
  return credential.ended === null
}

/**
 * When a credential must no longer be alive, in Unix milliseconds: at the end of its lease, its granted time or its expiry.
 */
export function overAt({ expiresAt, grantedUntil }: LeaseCredentialState, lease: LeaseTimes): number {
  return Math.min(
    lease.overSince ?? Number.POSITIVE_INFINITY,
    grantedUntil ?? Number.POSITIVE_INFINITY,
    expiresAt ?? lease.endsBy,
  )
}

/**
 * When the broker must revoke a credential, in Unix milliseconds; infinite for a credential that cannot be revoked.
 *
 * A credential whose expiry is over is revoked, too. Only the vendor knows whether it has ended: the broker's clock may have
 * been ahead. For a credential that has ended, its vendor answers so, and that is a revocation.
 */
export function revokeAt(credential: LeaseCredentialState, lease: LeaseTimes): number {
  const isRevocable = isAlive(credential) && credential.revocation === "revocable"
  return isRevocable ? overAt(credential, lease) : Number.POSITIVE_INFINITY
}

/** Whether the last attempt was to revoke this credential, and it is still alive. */
export function wasTried(credential: LeaseCredentialState, lease: LeaseTimes): boolean {
  return lease.triedAt !== null && revokeAt(credential, lease) <= lease.triedAt
}

/**
 * How long after its expiry a revocable credential counts as alive, while its revocation fails. A clock that was set wrongly
 * is rarely wrong by more: the time zones of the world are 26 hours apart, and a date is mistaken by a day.
 */
export const EXPIRED_MARGIN_MS = 26 * 60 * 60_000

/**
 * When a credential has certainly expired, in Unix milliseconds, so that its handle can be dropped; infinite when it does
 * not expire.
 */
export function diesAt({ expiresAt, revocation }: LeaseCredentialState): number {
  if (expiresAt === null) return Number.POSITIVE_INFINITY
  return revocation === "revocable" ? expiresAt + EXPIRED_MARGIN_MS : expiresAt
}

/**
 * The credentials at `now`. An expired credential is marked so. A credential that only expires is closed as `expires-only`
 * when its own time or its lease is over.
 */
export function endWithTime(
  credentials: readonly LeaseCredentialState[],
  lease: LeaseTimes,
  now: number,
): readonly LeaseCredentialState[] {
  return credentials.map((credential) => {
    if (!isAlive(credential)) return credential
    if (diesAt(credential) <= now) return end(credential, "expired")
    if (credential.revocation === "revocable") return credential
    return lease.overSince !== null || overAt(credential, lease) <= now ? end(credential, "expires-only") : credential
  })
}

/** A credential that has ended. Its revocation handle is removed. */
export function end(
  credential: LeaseCredentialState,
  ended: "revoked" | "expired" | "expires-only",
): LeaseCredentialState {
  return { ...credential, ended, sealedHandle: null }
}

import type { LeaseCredentialState } from "../../ports/ledger.ts"

/** What of a lease says when its credentials are over, besides themselves. */
export interface LeaseTimes {
  /** Unix milliseconds: when an open lease is over, and what neither expires nor has a granted time. */
  readonly endsBy: number
  /** Unix milliseconds: since when the lease is over as a whole, ended by its job or with its exchange. Null: not yet. */
  readonly overSince: number | null
  /** Unix milliseconds: when taking back was begun last. Null: never. */
  readonly triedAt: number | null
}

/** Whether a credential's end is not known yet. */
export function isAlive(credential: LeaseCredentialState): boolean {
  return credential.ended === null
}

/** When nothing of a credential should live any longer, Unix milliseconds: its lease, its granted time or itself has ended. */
export function overAt({ expiresAt, grantedUntil }: LeaseCredentialState, lease: LeaseTimes): number {
  return Math.min(
    lease.overSince ?? Number.POSITIVE_INFINITY,
    grantedUntil ?? Number.POSITIVE_INFINITY,
    expiresAt ?? lease.endsBy,
  )
}

/** When the broker must take a credential back, Unix milliseconds; infinite for what ends without it. */
export function takeBackAt(credential: LeaseCredentialState, lease: LeaseTimes): number {
  const isTakenBack = isAlive(credential) && credential.revocation === "revocable"
  const at = overAt(credential, lease)
  return isTakenBack && at < diesAt(credential) ? at : Number.POSITIVE_INFINITY
}

/** Whether a credential was among those that the last attempt was to take back, and lives on. */
export function wasTried(credential: LeaseCredentialState, lease: LeaseTimes): boolean {
  return lease.triedAt !== null && takeBackAt(credential, lease) <= lease.triedAt
}

/** When a credential ends by itself, Unix milliseconds. */
export function diesAt(credential: LeaseCredentialState): number {
  return credential.expiresAt ?? Number.POSITIVE_INFINITY
}

/** The credentials as they are at `now`: what has expired is so, and what only expires is let be once it or its lease is over. */
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

/** A credential that has ended, without what could take it back. */
export function end(
  credential: LeaseCredentialState,
  ended: "revoked" | "expired" | "expires-only",
): LeaseCredentialState {
  return { ...credential, ended, sealedHandle: null }
}

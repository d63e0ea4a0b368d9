import type { Ledgers, RevocationSettlement } from "../ports/ledger.ts"
import type { Log } from "../ports/log.ts"

/** The lease and the ledger that credentials belong to, for the log. */
export interface RevokedLease {
  readonly lease: string
  readonly issuerUrl: string
  readonly repositoryId: string
}

/** The most records that are kept. Beyond it, the sweep revokes and records the lease again, at its end. */
const MAX_RECORDS = 10_000

/**
 * Records of revocations that happened while the ledger could not be written. They are in memory: when the broker dies
 * first, the lease is still open in the ledger, and the sweep ends it.
 */
export interface OwedRecords {
  keep(of: RevokedLease, settlement: RevocationSettlement): void
  /** Whether the lease was revoked, and only its record is missing. */
  has(of: RevokedLease): boolean
  /** Writes what can be written now. Never throws. */
  pay(): Promise<void>
}

/** Jobs choose their leases' ids, so two repositories can have the same. */
const keyOf = ({ issuerUrl, repositoryId, lease }: RevokedLease) => JSON.stringify([issuerUrl, repositoryId, lease])

export function createOwedRecords(ledgers: Ledgers, log: Log): OwedRecords {
  const owed = new Map<string, { readonly of: RevokedLease; readonly settlement: RevocationSettlement }>()
  return {
    keep(of, settlement) {
      if (owed.size < MAX_RECORDS || owed.has(keyOf(of))) owed.set(keyOf(of), { of, settlement })
    },
    has: (of) => owed.has(keyOf(of)),
    async pay() {
      for (const [key, { of, settlement }] of owed) {
        try {
          await ledgers.of(of.issuerUrl, of.repositoryId).recordRevocation(settlement)
        } catch {
          return
        }
        owed.delete(key)
        const detail = "the record of a revocation was written late, because the ledger could not be written"
        log({
          event: "revocation.recorded",
          detail,
          issuer: of.issuerUrl,
          repository_id: of.repositoryId,
          lease: of.lease,
        })
      }
    },
  }
}

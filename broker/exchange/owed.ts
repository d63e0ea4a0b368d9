import type { Ledgers, RevocationSettlement } from "../ports/ledger.ts"
import type { Log } from "../ports/log.ts"

/** The lease and the ledger that credentials belong to, for the log. */
export interface RevokedLease {
  readonly lease: string
  readonly issuerUrl: string
  readonly unitId: string
}

/** The most records that are kept. Beyond it, the sweep revokes and records the lease again, at its end. */
const MAX_RECORDS = 10_000

/** A job that ends its lease waits for this many at most. Measured on Node: they share one commit. */
const PAID_AT_ONCE = 50

/**
 * Records of revocations that happened while the ledger could not be written. They are in memory: when the broker dies
 * first, the lease is still open in the ledger, and the sweep ends it.
 */
export interface OwedRecords {
  keep(of: RevokedLease, settlement: RevocationSettlement): void
  /** How many records are due. */
  readonly size: number
  /** Whether everything that can be revoked of the lease was revoked, and only the record is missing. */
  has(of: RevokedLease): boolean
  /**
   * Writes the oldest records that can be written now. Never throws. Each ledger can fail for a reason of its own, so one
   * that fails is not tried again before the others.
   */
  pay(): Promise<void>
}

/** Jobs choose their leases' ids, so two units can have the same. */
const keyOf = ({ issuerUrl, unitId, lease }: RevokedLease) => JSON.stringify([issuerUrl, unitId, lease])

export function createOwedRecords(ledgers: Ledgers, log: Log): OwedRecords {
  const owed = new Map<string, { readonly of: RevokedLease; readonly settlement: RevocationSettlement }>()
  return {
    keep(of, settlement) {
      if (owed.size < MAX_RECORDS || owed.has(keyOf(of))) owed.set(keyOf(of), { of, settlement })
    },
    get size() {
      return owed.size
    },
    has(of) {
      const debt = owed.get(keyOf(of))
      return debt !== undefined && !Object.values(debt.settlement.outcomes).includes("failed")
    },
    async pay() {
      const oldest = [...owed].slice(0, PAID_AT_ONCE)
      await Promise.all(
        oldest.map(async ([key, debt]) => {
          const { of, settlement } = debt
          try {
            await ledgers.of(of.issuerUrl, of.unitId).recordRevocation(settlement)
          } catch {
            const last = owed.get(key)
            if (last && owed.delete(key)) owed.set(key, last)
            return
          }
          // Not one that was kept meanwhile, and not twice when two calls pay at the same time.
          if (owed.get(key) !== debt) return
          owed.delete(key)
          const detail = "the record of a revocation was written late, because the ledger could not be written"
          log({
            event: "revocation.recorded",
            detail,
            issuer: of.issuerUrl,
            unit_id: of.unitId,
            lease: of.lease,
          })
        }),
      )
    },
  }
}

import { chainStart, type Sha256 } from "../../core/audit-chain.ts"
import type { LedgerKey } from "../ledger/rows.ts"

/** A ledger's id in the database, and the hash that its first record is chained to. */
export interface LedgerName {
  /** In the form of a UUID: the first half of `start`, which is the hash of the ledger's name. */
  readonly id: string
  readonly start: string
}

/** Where a ledger is stored. The same name always has the same id, in every database. */
export function ledgerName({ issuerUrl, unitId }: LedgerKey, sha256: Sha256): LedgerName {
  const start = chainStart({ issuer: issuerUrl, unit_id: unitId }, sha256)
  const id = [start.slice(0, 8), start.slice(8, 12), start.slice(12, 16), start.slice(16, 20), start.slice(20, 32)]
  return { id: id.join("-"), start }
}

import type { ChainHead, LedgerName } from "../../broker/core/audit-chain.ts"

/** The first place where an exported audit trail differs from what a broker writes. */
export interface ChainFault {
  /** 1-based. */
  readonly line: number
  /** The ledger and the record that were expected at this line; null between ledgers. */
  readonly ledger: LedgerName | null
  readonly seq: number | null
  /** Our own sentence. Quotes nothing of the file. */
  readonly reason: string
}

export interface VerifiedLedger extends ChainHead {
  readonly ledger: LedgerName
  /** Present when records are missing at its start: up to this one they are not in the file, and not verified. */
  readonly after?: number
}

/** A hash that was noted earlier and was found in the file, as the chain value of record `seq`. */
export interface FoundNote extends ChainHead {
  readonly ledger: LedgerName
}

/** Sees the leaves of a file while it is verified: only those whose records and chain are right. */
export interface LeafWatcher {
  /** The leaves of this ledger follow, from its first record. */
  ledger(name: LedgerName): void
  /** The leaves up to this number are not in the file. */
  from?(seq: number): void
  /** SHA-256 in hex. */
  leaf(leaf: string): void
}

export type ChainVerdict =
  | { readonly ok: true; readonly ledgers: readonly VerifiedLedger[]; readonly found: readonly FoundNote[] }
  | { readonly ok: false; readonly fault: ChainFault }

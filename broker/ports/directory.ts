/** Names a ledger. */
export interface LedgerKey {
  readonly issuerUrl: string
  readonly unitId: string
}

/** How far a ledger is. */
export interface LedgerHead extends LedgerKey {
  /** The number of its last record; 0 for none. */
  readonly seq: number
  /** The hash of its last record, SHA-256 in hex; empty when only its number is known. */
  readonly chain: string
  /** Unix milliseconds: the latest time that the ledger has seen; 0 when it is not known. */
  readonly latestAt: number
  readonly openLeases: number
}

/** The names of a ledger's unit by the last record that tells them; null until one was followed. */
export interface LedgerNames {
  readonly unit: string | null
  readonly unitKind: string | null
  readonly owner: string | null
  readonly ownerId: string | null
}

/** One ledger of the deployment. */
export interface LedgerEntry extends LedgerHead, LedgerNames {}

/** Where a list of ledgers goes on. Opaque; from the page before. */
export type LedgersCursor = string

export interface LedgersPage {
  readonly ledgers: readonly LedgerEntry[]
  /** Null: this was the last page. */
  readonly next: LedgersCursor | null
}

/**
 * Which ledgers there are. It follows the ledgers, seconds behind, and is rebuilt from them when it is lost: nothing that
 * grants or refuses may depend on it.
 *
 * @throws {BrokerError} `ledger_unavailable` when it cannot be read
 */
export interface Directory {
  /** In a stable order. `limit`: at most 1000. */
  list(page: { readonly after?: LedgersCursor; readonly limit: number }): Promise<LedgersPage>
  /** Null for a ledger that was never seen. */
  entry(key: LedgerKey): Promise<LedgerEntry | null>
}

import type { LedgerEntry, LedgerHead, LedgerKey, LedgerNames } from "./directory.ts"
import type { ChainedRecord } from "./ledger.ts"

/** New records of one ledger, in order and without gaps. */
export interface FollowedRecords {
  /** The ledger as it was known when they were read. */
  readonly ledger: LedgerEntry
  /** At least one. */
  readonly records: readonly ChainedRecord[]
}

/**
 * Gets every record of every ledger, each at least once, in the order of its ledger, a moment after it was made. After a crash
 * it may get a batch again.
 */
export interface Reader {
  /** Stable: its place in each ledger is kept under this name. */
  readonly name: string
  /** `start`: a new reader gets all records that there are. `now`: only those made after its first start. */
  readonly from: "start" | "now"
  /** When it rejects, it gets the same records again later. The other readers do not wait for it. */
  take(batch: FollowedRecords): Promise<void>
  /**
   * Does what is due by time at `now` (Unix milliseconds), such as a retry. Called after each round. Returns when it wants to be
   * called again at the latest, in Unix milliseconds; null: whenever.
   */
  due?(now: number): Promise<number | null>
}

/** A ledger that a reader has not read to its end. */
export interface Behind {
  readonly ledger: LedgerEntry
  /** The number of the last record that the reader has taken. */
  readonly cursor: number
}

/** How far all of that is, in numbers. */
export interface FollowTotals {
  readonly ledgers: number
  readonly openLeases: number
  /** Unix milliseconds: the latest time that a ledger has seen; 0 when there is none. */
  readonly latestAt: number
  /** By reader: how many records it has not taken. */
  readonly behind: Readonly<Record<string, number>>
}

/** The places of readers in the ledgers, and the ledgers that are known. */
export interface FollowStore {
  /** Notes how far ledgers are. A ledger that is shorter than before was set back: its readers go on from its end. */
  note(heads: readonly LedgerHead[]): Promise<void>
  /** Notes another head of a ledger than was noted, as it was found by reading it, unless another one was noted since. */
  correct(noted: LedgerHead, found: LedgerHead): Promise<void>
  /** Notes a reader. Returns when it was noted first, in Unix milliseconds. From then on its places are kept. */
  register(reader: Pick<Reader, "name" | "from">, now: number): Promise<number>
  /** Ledgers that have records which this reader has not taken; at most `limit`. */
  behind(reader: string, limit: number): Promise<readonly Behind[]>
  move(reader: string, ledger: LedgerKey, seq: number): Promise<void>
  /** Notes the names of a ledger's unit, as its latest record tells them. */
  name(ledger: LedgerKey, names: LedgerNames): Promise<void>
  /** The lowest place of these readers in a ledger: all of them have taken every record up to it. */
  takenBy(readers: readonly string[], ledger: LedgerKey): Promise<number>
  totals(readers: readonly string[]): Promise<FollowTotals>
}

import type { Tile, TilePlace } from "../core/checkpoint/tiles.ts"
import type { LedgerKey } from "./directory.ts"

/** The tree of a ledger, or of a log of heads by its origin. */
export type TreeName = LedgerKey | { readonly log: string }

/** A head of a ledger in a log of heads. */
export interface LoggedHead {
  /** The head's place in the log, from 0. */
  readonly index: number
  /** How many records the ledger had. */
  readonly size: number
  /** The root of their leaves, SHA-256 in hex. */
  readonly root: string
}

/** A ledger whose tree is larger than its last head in the log. */
export interface GrownLedger extends LedgerKey {
  readonly size: number
}

export type NewHead = LedgerKey & Omit<LoggedHead, "index">

/**
 * The hashes of trees, as tiles: enough to prove any leaf of any size without reading a record. What is lost here is built again
 * from the ledgers; only proofs of an older log of heads are lost for good.
 *
 * Each call is one transaction. @throws {BrokerError} `ledger_unavailable`
 */
export interface TreeStore {
  /** How many leaves the tree has; 0 for an unknown tree. */
  size(tree: TreeName): Promise<number>
  /** These tiles, without those that are not there. */
  tiles(tree: TreeName, places: readonly TilePlace[]): Promise<readonly Tile[]>
  /** Grows a tree of `from` leaves to `to`. False, and nothing changes, when the tree has another size. */
  grow(tree: LedgerKey, from: number, to: number, tiles: readonly Tile[]): Promise<boolean>
  /** Forgets the tree of a ledger and its heads, which can be proven no more. */
  forget(tree: LedgerKey): Promise<void>
  /** Ledgers that have changed since their last head in this log; at most `limit`. */
  grown(log: string, limit: number): Promise<readonly GrownLedger[]>
  /**
   * Appends heads to a log of `from` leaves. False, and nothing changes, when the log has another size. Of the older heads of
   * their ledgers, only those may be forgotten that no checkpoint from `published` on needs.
   */
  append(log: string, at: LogPlace, heads: readonly NewHead[], tiles: readonly Tile[]): Promise<boolean>
  /** The last head of a ledger among the log's first `below` leaves. Null when it has none there. */
  head(log: string, ledger: LedgerKey, below: number): Promise<LoggedHead | null>
}

export interface LogPlace {
  readonly from: number
  /** The size of the newest checkpoint that is given away; 0 for none. */
  readonly published: number
}

import type { Clock } from "../ports/clock.ts"
import type { FollowStore, Reader } from "../ports/followed.ts"
import type { Ledgers } from "../ports/ledger.ts"
import type { Log } from "../ports/log.ts"

export interface FollowerParts {
  readonly store: FollowStore
  readonly ledgers: Ledgers
  readonly readers: readonly Reader[]
  /** Readers that depend on the policies in force, such as exports. Asked for in each round; rejects while there are none. */
  changing?(): Promise<readonly Reader[]>
  /**
   * Lets old records leave the ledgers. Called after each round, with the names of all readers; returns when it wants to be
   * called again at the latest, in Unix milliseconds; null: whenever. Never rejects.
   */
  readonly archive?: { due(now: number, readers: readonly string[]): Promise<number | null> }
  readonly clock: Clock
  readonly log: Log
}

export interface Round {
  /** Whether there is more to read now. */
  readonly goesOn: boolean
  /** Unix milliseconds: when the next round must be at the latest; null: when a ledger has grown. */
  readonly dueAt: number | null
}

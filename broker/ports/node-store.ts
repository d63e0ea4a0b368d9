import type { Documents } from "./documents.ts"
import type { HealthCheck } from "./health.ts"
import type { KeyRing } from "./key-ring.ts"
import type { Ledgers, SweptLedger } from "./ledger.ts"
import type { Marks } from "./marks.ts"
import type { Notices } from "./notices.ts"
import type { OperateStore } from "./operate-store.ts"
import type { Overdue } from "./sweeping.ts"

/** A ledger with something due. */
export interface DueLedger {
  readonly issuerUrl: string
  readonly unitId: string
  readonly ledger: SweptLedger
}

/** Everything that a broker on Node stores: in one file in its data folder, or in a database that several brokers share. */
export interface NodeStore {
  readonly ledgers: Ledgers
  readonly keyRing: KeyRing
  readonly marks: Marks
  readonly documents: Documents
  readonly health: HealthCheck
  /** What follows the ledgers. */
  readonly operate: OperateStore
  /** How the brokers of one store tell each other what has changed; absent in a store of one broker. */
  readonly notices?: Notices
  /** The latest time that a ledger here has seen, in Unix milliseconds; 0 when there is none. */
  latestTime(): Promise<number>
  /**
   * Ledgers with something due at `now` (Unix milliseconds), those due earliest first, at most `limit`. Where several brokers
   * share the store: without those that another broker sweeps now.
   */
  due(now: number, limit: number): Promise<readonly DueLedger[]>
  /** Leases of all ledgers that are overdue at `now` (Unix milliseconds). */
  overdue(now: number): Promise<Overdue>
  /** Accepts no more calls, waits for the accepted ones, and leaves the store to its next broker. */
  close(): Promise<void>
}

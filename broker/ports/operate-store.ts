import type { AlertQueue } from "./alert-queue.ts"
import type { Directory } from "./directory.ts"
import type { FollowStore, Reader } from "./followed.ts"
import type { HealthCheck } from "./health.ts"
import type { Marks } from "./marks.ts"
import type { RecordIndex } from "./record-index.ts"
import type { TreeStore } from "./tree-store.ts"

/** What leaves the broker by itself: the alerts that wait, and what exports remember of each ledger. */
export interface OutboundStore {
  readonly queue: AlertQueue
  readonly marks: Marks
}

/**
 * What follows the ledgers of a deployment, beside them. It can be lost: it is made anew from the ledgers then, and readers
 * from `start` get all records again.
 */
export interface OperateStore {
  readonly directory: Directory
  readonly places: FollowStore
  readonly index: RecordIndex
  /** Fills the index. */
  readonly indexReader: Reader
  /** Of the trees that checkpoints prove. */
  readonly trees: TreeStore
  /** What alerts and exports keep, beside the places of their readers. */
  readonly outbound: OutboundStore
  readonly health: HealthCheck
  /** Notes how far those ledgers are that may have grown since the last call; all ledgers at the first one. */
  lookForNew(): Promise<void>
  /** Whether this process is the one that follows: of several brokers of a store, one is. Asked before each round. */
  leads(): Promise<boolean>
}

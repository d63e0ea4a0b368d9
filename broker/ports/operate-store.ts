import type { Directory } from "./directory.ts"
import type { FollowStore, Reader } from "./followed.ts"
import type { HealthCheck } from "./health.ts"
import type { RecordIndex } from "./record-index.ts"
import type { TreeStore } from "./tree-store.ts"

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
  readonly health: HealthCheck
  /** Notes how far those ledgers are that may have grown since the last call; all ledgers at the first one. */
  lookForNew(): Promise<void>
  /** Whether this process is the one that follows: of several brokers of a store, one is. Asked before each round. */
  leads(): Promise<boolean>
}

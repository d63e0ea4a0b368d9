import type { ChainedRecord } from "../../ports/ledger.ts"
import type { Way } from "../../ports/sql.ts"
import type { OpenLedger } from "./open-ledger.ts"
import type { LedgerKey, Touched } from "./rows.ts"

/** Where ledgers are stored: SQLite at the edge and on Node, or PostgreSQL. */
export interface LedgerStore {
  /**
   * Runs `work` on the rows of one ledger in a transaction, makes the ledger when it does not exist, and resolves when that
   * is durable. `work` may run twice, and must change nothing except the ledger. When it throws, nothing is changed.
   */
  write<Value>(key: LedgerKey, touched: Touched, way: Way, work: (ledger: OpenLedger) => Value): Promise<Value>
  /** Runs `work`, which only reads, on a ledger; on null when nothing was ever written to it. */
  read<Value>(key: LedgerKey, touched: Touched, work: (ledger: OpenLedger | null) => Value): Promise<Value>
  /** The chained records after number `after`, at most `limit`, in order. */
  trail(key: LedgerKey, after: number, limit: number): Promise<readonly ChainedRecord[]>
}

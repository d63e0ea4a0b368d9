import type { DatabaseSync } from "node:sqlite"
import { BrokerError } from "../../core/errors.ts"
import type { KeyRing } from "../../ports/key-ring.ts"
import type { Ledgers, SweptLedger } from "../../ports/ledger.ts"
import type { Marks } from "../../ports/marks.ts"
import type { Reading } from "../../ports/sql.ts"
import { SqlKeyRing } from "../sqlite/key-ring.ts"
import { SqlLedger } from "../sqlite/ledger.ts"
import { dueLedgers, ledgersAhead } from "../sqlite/ledger-row.ts"
import { SqlMarks } from "../sqlite/marks.ts"
import { migrate } from "../sqlite/schema.ts"
import { latestTime } from "../sqlite/store-row.ts"
import { GroupCommit } from "./group-commit.ts"
import { lockFolder, NodeSql, openLedgerFile } from "./sqlite.ts"

/** A ledger with something due. */
export interface DueLedger {
  readonly issuerUrl: string
  readonly repositoryId: string
  readonly ledger: SweptLedger
}

/** Everything that a broker on Node stores: one file in its data folder, locked by this process. */
export interface NodeStore {
  readonly ledgers: Ledgers
  readonly keyRing: KeyRing
  readonly marks: Marks
  /** The latest time that a ledger here has seen, in Unix milliseconds; 0 when there is none. */
  latestTime(): Promise<number>
  /** Ledgers with something due at `now` (Unix milliseconds), those due earliest first, at most `limit`. */
  due(now: number, limit: number): Promise<readonly DueLedger[]>
  /** Accepts no more calls, waits for the accepted ones, and unlocks the folder. */
  close(): Promise<void>
}

/**
 * Opens the store in `folder`. Creates the folder when it does not exist.
 *
 * @throws {BrokerError} `ledger_unavailable` when the folder cannot be used, or another broker is using it
 */
export function openNodeStore(folder: string): NodeStore {
  let lock: DatabaseSync | undefined
  try {
    lock = lockFolder(folder)
    const sql = new NodeSql(openLedgerFile(folder))
    migrate(sql)
    return storeOver(sql, lock)
  } catch (cause) {
    lock?.close()
    if (cause instanceof BrokerError) throw cause
    throw new BrokerError("ledger_unavailable", `the ledger in ${folder} cannot be opened: ${reasonOf(cause)}`, {
      cause,
    })
  }
}

function storeOver(sql: NodeSql, lock: DatabaseSync): NodeStore {
  const commits = new GroupCommit(sql)
  let latest = latestTime(sql)
  const ledgerOf = (issuerUrl: string, repositoryId: string) =>
    new SqlLedger(sql, commits.transact, reading, { issuerUrl, repositoryId })
  return {
    ledgers: { of: ledgerOf },
    keyRing: new SqlKeyRing(sql, commits.transact),
    marks: new SqlMarks(sql, commits.transact, reading),
    latestTime: () => reading(() => latestTime(sql)),
    due: async (now, limit) => {
      latest = Math.max(latest, now)
      // Only after a clock was set back: what a ledger tried in that future would wait for it to come again.
      const ahead = now < latest ? await reading(() => ledgersAhead(sql, now, limit)) : []
      const due = await reading(() => dueLedgers(sql, now, limit))
      const keys = new Map([...due, ...ahead].map((key) => [JSON.stringify(key), key]))
      return [...keys.values()]
        .slice(0, limit)
        .map((key) => ({ ...key, ledger: ledgerOf(key.issuerUrl, key.repositoryId) }))
    },
    close: async () => {
      await commits.close()
      if (sql.database.isOpen) sql.database.close()
      if (lock.isOpen) lock.close()
    },
  }
}

/** Reads in this turn of the event loop, between two commits. */
const reading: Reading = async (work) => {
  try {
    return work()
  } catch (cause) {
    throw new BrokerError("ledger_unavailable", "the ledger's file cannot be read", { cause, retryAfterSeconds: 5 })
  }
}

/** The message of SQLite or the file system. It is only shown at the start, to the operator. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown error"
}

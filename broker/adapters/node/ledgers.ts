import type { KeyRing } from "../../ports/key-ring.ts"
import type { Ledgers, SweptLedger } from "../../ports/ledger.ts"
import { SqlKeyRing } from "../sqlite/key-ring.ts"
import { SqlLedger } from "../sqlite/ledger.ts"
import { migrate } from "../sqlite/schema.ts"
import { GroupCommit } from "./group-commit.ts"
import { lockFolder, NodeSql, openLedgerFile } from "./sqlite.ts"

/** A ledger in which something is due. */
export interface DueLedger {
  readonly issuerUrl: string
  readonly repositoryId: string
  readonly ledger: SweptLedger
}

/** All that a broker on Node stores: one file in its data folder, held by this process alone. */
export interface NodeStore {
  readonly ledgers: Ledgers
  readonly keyRing: KeyRing
  /** Ledgers with something due at `now` (Unix milliseconds), longest due first, at most `limit`. */
  due(now: number, limit: number): Promise<readonly DueLedger[]>
  /** Takes no more calls, lets those that were taken finish, and lets go of the folder. */
  close(): Promise<void>
}

/**
 * Opens the store in `folder`, which is made when it is not there.
 *
 * @throws {BrokerError} `ledger_unavailable` when another broker is using the folder.
 */
export function openNodeStore(folder: string): NodeStore {
  const lock = lockFolder(folder)
  try {
    const sql = new NodeSql(openLedgerFile(folder))
    migrate(sql)
    const commits = new GroupCommit(sql)
    const ledgerOf = (issuerUrl: string, repositoryId: string) =>
      new SqlLedger(sql, commits.transact, { issuerUrl, repositoryId })
    return {
      ledgers: { of: ledgerOf },
      keyRing: new SqlKeyRing(sql, commits.transact),
      due: (now, limit) =>
        commits.transact(() =>
          sql
            .all<{ issuer: string; repository_id: string }>(
              "SELECT issuer, repository_id FROM ledgers WHERE due_at <= ? ORDER BY due_at LIMIT ?",
              now,
              limit,
            )
            .map(({ issuer, repository_id }) => ({
              issuerUrl: issuer,
              repositoryId: repository_id,
              ledger: ledgerOf(issuer, repository_id),
            })),
        ),
      close: async () => {
        await commits.close()
        if (sql.database.isOpen) sql.database.close()
        if (lock.isOpen) lock.close()
      },
    }
  } catch (error) {
    lock.close()
    throw error
  }
}

import { existsSync } from "node:fs"
import { join } from "node:path"
import { BrokerError } from "../../core/errors.ts"
import { LEDGER_FILE } from "./ledger-files.ts"
import { LedgerLock } from "./ledger-lock.ts"
import { openLedger } from "./ledger-opening.ts"
import type { NodeSql } from "./sqlite.ts"

/** The ledger of a data folder whose broker does not run. */
export interface StoppedLedger {
  readonly sql: NodeSql
  close(): void
}

/**
 * Opens the ledger in `folder` as a broker does at its start, and keeps every broker away until it is closed. `now`: Unix
 * milliseconds.
 *
 * @throws {BrokerError} `ledger_unavailable` when a broker uses the folder, or its ledger is damaged or of a newer version
 */
export function openStoppedLedger(folder: string, now: number): StoppedLedger {
  // Locking would make the folder, and opening an empty ledger in it.
  if (!existsSync(join(folder, LEDGER_FILE))) {
    throw new BrokerError("ledger_unavailable", `there is no ledger in ${folder}: name the broker's data folder`)
  }
  const lock = new LedgerLock(folder)
  try {
    const { sql } = openLedger(folder, now)
    return {
      sql,
      close() {
        sql.database.close()
        lock.close()
      },
    }
  } catch (error) {
    lock.close()
    throw error
  }
}

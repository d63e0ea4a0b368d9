import { closeSync, mkdirSync, openSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { BrokerError } from "../../core/errors.ts"
import type { Sql, SqlRow, SqlValue } from "../../ports/sql.ts"

/** How long a write waits for a lock, for example during a reader's checkpoint. */
const BUSY_TIMEOUT_MS = 5000
const SQLITE_BUSY = 5
const LEDGER_FILE = "ledger.db"
const LOCK_FILE = "ledger.lock"

/** A database opened with `node:sqlite`. Each statement is prepared once. */
export class NodeSql implements Sql {
  readonly database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.database = database
  }

  run(text: string, ...values: readonly SqlValue[]): void {
    this.#prepare(text).run(...values)
  }

  all<Row extends SqlRow>(text: string, ...values: readonly SqlValue[]): readonly Row[] {
    return this.#prepare(text).all(...values) as Row[]
  }

  transaction<Value>(work: () => Value): Value {
    this.run("BEGIN IMMEDIATE")
    try {
      const value = work()
      this.run("COMMIT")
      return value
    } catch (error) {
      // Some failures have already ended the transaction.
      if (this.database.isTransaction) this.run("ROLLBACK")
      throw error
    }
  }

  #prepare(text: string): StatementSync {
    let statement = this.#prepared.get(text)
    if (!statement) {
      statement = this.database.prepare(text)
      this.#prepared.set(text, statement)
    }
    return statement
  }
}

/** Opens the ledger's file in `folder` for writing. Creates both, readable only by this user, when they do not exist. */
export function openLedgerFile(folder: string): DatabaseSync {
  const path = join(folder, LEDGER_FILE)
  makePrivate(folder, path)
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  // WAL: one flush for each commit, and readers do not block the writer. FULL: a commit is on disk before it returns.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
  return database
}

/** Opens the ledger's file in `folder` for reading. A broker may be writing it at the same time. */
export function openLedgerFileReadOnly(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, LEDGER_FILE), { readOnly: true, timeout: BUSY_TIMEOUT_MS })
}

/**
 * Locks `folder` for this process, until the result is closed or the process ends in any way. The lock is a SQLite lock on
 * a file beside the ledger. So no stale lock is left after a crash, and readers of the ledger are not blocked.
 *
 * @throws {BrokerError} `ledger_unavailable` when another broker has locked it
 */
export function lockFolder(folder: string): DatabaseSync {
  const path = join(folder, LOCK_FILE)
  makePrivate(folder, path)
  const lock = new DatabaseSync(path, { timeout: 0 })
  try {
    lock.exec("BEGIN EXCLUSIVE")
    return lock
  } catch (cause) {
    lock.close()
    if (!isBusy(cause)) throw cause
    throw new BrokerError("ledger_unavailable", `another broker is using the data folder ${folder}: stop it first`, {
      cause,
    })
  }
}

function makePrivate(folder: string, path: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // SQLite gives its other files the same permissions as this one.
  closeSync(openSync(path, "a", 0o600))
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY
}

import { closeSync, mkdirSync, openSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { BrokerError } from "../../core/errors.ts"
import type { Sql, SqlRow, SqlValue } from "../../ports/sql.ts"

/** How long a write waits for a reader's checkpoint or the like. */
const BUSY_TIMEOUT_MS = 5000
const SQLITE_BUSY = 5
const LEDGER_FILE = "ledger.db"
const LOCK_FILE = "ledger.lock"

/** A file opened with `node:sqlite`. Statements are prepared once. */
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
      // Some failures end the transaction by themselves.
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

/** Opens the ledger's file in `folder` for writing; makes both, for this user alone, when they are not there. */
export function openLedgerFile(folder: string): DatabaseSync {
  const path = join(folder, LEDGER_FILE)
  makePrivate(folder, path)
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  // WAL: one flush a commit, and readers do not stop the writer. FULL: a commit is on disk before it returns.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
  return database
}

/** Opens the ledger's file in `folder` for reading, beside a broker that may be writing it. */
export function openLedgerFileReadOnly(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, LEDGER_FILE), { readOnly: true, timeout: BUSY_TIMEOUT_MS })
}

/**
 * Holds `folder` for this process until the result is closed or the process ends, however it ends: the lock is SQLite's own
 * on a file beside the ledger, so nothing stale is left to clean up, and readers of the ledger are not shut out.
 *
 * @throws {BrokerError} `ledger_unavailable` when another broker holds it.
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
  // SQLite gives its side files the permissions of the file itself.
  closeSync(openSync(path, "a", 0o600))
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY
}

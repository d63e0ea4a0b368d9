import { closeSync, existsSync, mkdirSync, openSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync, type StatementSync } from "node:sqlite"
import { BrokerError } from "../../core/errors.ts"
import type { Sql, SqlRow, SqlValue } from "../../ports/sql.ts"
import { LEDGER_FILE, LOCK_FILE } from "./ledger-files.ts"
import { isBusy } from "./storage-errors.ts"

/** How long opening waits for a lock. Nothing waits later: SQLite's wait would block the event loop. */
const START_TIMEOUT_MS = 5000

/**
 * The write-ahead log grows while a reader, such as an export, keeps it from being reused: measured, 32 KB a commit. SQLite
 * cuts it to this size afterwards, and otherwise never, so a disk that it had filled would stay full.
 */
const LONGEST_LOG_BYTES = 8 * 1024 * 1024

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
  const database = new DatabaseSync(path, { timeout: START_TIMEOUT_MS })
  try {
    // WAL: one flush for each commit, and readers do not block the writer. FULL: a commit is on disk before it returns, until
    // `GroupCommit` flushes by itself.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 0")
    database.exec(`PRAGMA journal_size_limit = ${LONGEST_LOG_BYTES}`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Opens the ledger's file in `folder` for reading. A broker may be writing it at the same time. */
export function openLedgerFileReadOnly(folder: string): DatabaseSync {
  return new DatabaseSync(join(folder, LEDGER_FILE), { readOnly: true, timeout: START_TIMEOUT_MS })
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
    throw isBusy(cause) ? folderInUse(folder, cause) : cause
  }
}

/** The refusal of a second broker. */
export const folderInUse = (folder: string, cause?: unknown): BrokerError =>
  new BrokerError("ledger_unavailable", `another broker is using the data folder ${folder}: stop it first`, { cause })

/** Makes a file that only this user can read. SQLite gives its other files the same permissions as the first one. */
export function makePrivate(folder: string, path: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // An existing file is not opened: closing it would drop the locks that this process has on it (POSIX, fcntl).
  if (!existsSync(path)) closeSync(openSync(path, "a", 0o600))
}

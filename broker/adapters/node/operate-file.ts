import { rmSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { Log } from "../../ports/log.ts"
import type { Sql, SqlRow, SqlValue } from "../../ports/sql.ts"
import { migrateOperate } from "../sqlite/operate/schema.ts"
import { makePrivate, NodeSql } from "./sqlite.ts"
import { storageFaultOf, unavailable } from "./storage-errors.ts"

export const OPERATE_FILE = "operate.sqlite"

/** A write-ahead log of a rebuild is cut to this size afterwards. */
const LONGEST_LOG_BYTES = 8 * 1024 * 1024

/**
 * What follows the ledger, in a file of its own: the ledger's commits never wait for it, and a fault in it stops no exchange. It
 * is opened when it is first used. A damaged file is thrown away, because it can be made anew.
 */
export class OperateFile implements Sql {
  readonly #folder: string
  readonly #log: Log
  #open: NodeSql | null = null
  #since: Date | null = null
  #isClosed = false
  /** Grows when the file turns out to be empty: what was known of it must be forgotten. */
  generation = 0

  constructor(folder: string, log: Log) {
    this.#folder = folder
    this.#log = log
  }

  /** Since when the file cannot be used; null: it can. */
  get failingSince(): Date | null {
    return this.#since
  }

  run(text: string, ...values: readonly SqlValue[]): void {
    this.#guarded((sql) => sql.run(text, ...values))
  }

  all<Row extends SqlRow>(text: string, ...values: readonly SqlValue[]): readonly Row[] {
    return this.#guarded((sql) => sql.all<Row>(text, ...values))
  }

  transaction<Value>(work: () => Value): Value {
    return this.#guarded((sql) => sql.transaction(work))
  }

  close(): void {
    this.#isClosed = true
    this.#open?.database.close()
    this.#open = null
  }

  /** @throws {BrokerError} `ledger_unavailable` when the file cannot be read or written */
  #guarded<Value>(work: (sql: NodeSql) => Value): Value {
    if (this.#isClosed) throw unavailable("the store of what follows the ledger was closed")
    try {
      this.#open ??= this.#openFile()
      const value = work(this.#open)
      this.#since = null
      return value
    } catch (cause) {
      const fault = storageFaultOf(cause)
      // Our own error, or one of the work.
      if (fault === null) throw cause
      this.#since ??= new Date()
      if (fault === "damaged") this.#throwAway()
      throw unavailable(`${OPERATE_FILE}, which follows the ledger, cannot be used (${fault})`, cause)
    }
  }

  #openFile(): NodeSql {
    const path = join(this.#folder, OPERATE_FILE)
    makePrivate(this.#folder, path)
    const database = new DatabaseSync(path, { timeout: 0 })
    try {
      // NORMAL: a crash of the machine can lose the last commits, never the file. Their records are followed again.
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
      database.exec(`PRAGMA journal_size_limit = ${LONGEST_LOG_BYTES}`)
      const sql = new NodeSql(database)
      if (migrateOperate(sql)) this.generation += 1
      return sql
    } catch (error) {
      database.close()
      throw error
    }
  }

  #throwAway(): void {
    this.#log({
      event: "follow.rebuilt",
      detail: `${OPERATE_FILE} was damaged and is made anew from the ledger; a search finds what was followed so far`,
    })
    try {
      this.#open?.database.close()
      this.#open = null
      for (const end of ["", "-wal", "-shm"]) rmSync(join(this.#folder, OPERATE_FILE + end), { force: true })
    } catch {
      // Found again by the next call.
      this.#open = null
    }
  }
}

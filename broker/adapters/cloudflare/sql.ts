import type { Sql, SqlRow, SqlValue } from "../../ports/sql.ts"

/** What of a Durable Object's storage the ledger needs. */
export interface ObjectStorage {
  readonly sql: SqlStorage
  transactionSync<Value>(work: () => Value): Value
}

/** A Durable Object's own SQLite. Statements are cached by the runtime. */
export class ObjectSql implements Sql {
  readonly #storage: ObjectStorage

  constructor(storage: ObjectStorage) {
    this.#storage = storage
  }

  run(text: string, ...values: readonly SqlValue[]): void {
    this.#storage.sql.exec(text, ...values)
  }

  all<Row extends SqlRow>(text: string, ...values: readonly SqlValue[]): readonly Row[] {
    // No blob is stored, so that none is read.
    return this.#storage.sql.exec(text, ...values).toArray() as unknown as Row[]
  }

  transaction<Value>(work: () => Value): Value {
    return this.#storage.transactionSync(work)
  }
}

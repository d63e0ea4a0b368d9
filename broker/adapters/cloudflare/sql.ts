import type { Sql, SqlRow, SqlValue } from "../../ports/sql.ts"

/** The part of a Durable Object's storage that the ledger needs. */
export interface ObjectStorage {
  readonly sql: SqlStorage
  transactionSync<Value>(work: () => Value): Value
}

/** The SQLite database of a Durable Object. The runtime caches statements. */
export class ObjectSql implements Sql {
  readonly #storage: ObjectStorage

  constructor(storage: ObjectStorage) {
    this.#storage = storage
  }

  run(text: string, ...values: readonly SqlValue[]): void {
    this.#storage.sql.exec(text, ...values)
  }

  all<Row extends SqlRow>(text: string, ...values: readonly SqlValue[]): readonly Row[] {
    // The cast is safe: no blob is stored, so no row contains one.
    return this.#storage.sql.exec(text, ...values).toArray() as unknown as Row[]
  }

  transaction<Value>(work: () => Value): Value {
    return this.#storage.transactionSync(work)
  }
}

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
    const rows = this.#storage.sql.exec(text, ...values).toArray()
    // workerd returns a blob as an ArrayBuffer, and callers expect bytes. Only tables of the index have blobs.
    for (const row of rows) {
      for (const name in row) if (row[name] instanceof ArrayBuffer) row[name] = new Uint8Array(row[name]) as never
    }
    return rows as unknown as Row[]
  }

  transaction<Value>(work: () => Value): Value {
    return this.#storage.transactionSync(work)
  }
}

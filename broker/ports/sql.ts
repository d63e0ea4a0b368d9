export type SqlValue = string | number | null

export type SqlRow = Readonly<Record<string, SqlValue>>

/**
 * A SQLite database, synchronously: between a read and the write that depends on it nothing else can run, which is what
 * the ledger stands on. Parameters are `?`, by position; SQL text is never assembled from values.
 *
 * What fails throws as the driver throws it; the adapters turn that into `BrokerError("ledger_unavailable")`.
 */
export interface Sql {
  /** Runs a statement for its effect. */
  run(text: string, ...values: readonly SqlValue[]): void
  /** Runs a statement, and gives its rows: those of a query, or those that `RETURNING` says were changed. */
  all<Row extends SqlRow>(text: string, ...values: readonly SqlValue[]): readonly Row[]
  /** Runs `work` as a whole or not at all: what it throws undoes what it did, and is thrown on. */
  transaction<Value>(work: () => Value): Value
}

/**
 * Runs work in a transaction of its own and resolves once that is durable. Rejects with `BrokerError("ledger_unavailable")`
 * when the storage fails and with what the work threw otherwise; then nothing was changed.
 */
export type Transact = <Value>(work: () => Value) => Promise<Value>

/** A blob is written and read as bytes. */
export type SqlValue = string | number | null | Uint8Array

export type SqlRow = Readonly<Record<string, SqlValue>>

/**
 * A synchronous SQLite database. The ledger depends on this: nothing else can run between a read and the write that depends
 * on it. Parameters are `?`, by position; SQL text is never built from values.
 *
 * Failures throw the driver's error; the adapters turn it into `BrokerError("ledger_unavailable")`.
 */
export interface Sql {
  /** Runs a statement for its effect. */
  run(text: string, ...values: readonly SqlValue[]): void
  /** Runs a statement and returns its rows: the result of a query, or the rows of `RETURNING`. */
  all<Row extends SqlRow>(text: string, ...values: readonly SqlValue[]): readonly Row[]
  /** Runs `work` in a transaction. When it throws, the transaction is rolled back and the error is thrown again. */
  transaction<Value>(work: () => Value): Value
}

/** What is opened once for all calls that share a transaction, and written at its end. */
export interface Batch {
  /** What is open under `name`, or what `make` opens now. It is saved when all calls of the transaction have run. */
  open<What extends Opened>(name: string, make: () => What): What
}

export interface Opened {
  save(): void
  /** Unix milliseconds: when it must be swept next; null: never. */
  readonly dueAt: number | null
}

/**
 * Runs `work` in a transaction of its own, or in one that it shares with other calls, and resolves when that is durable. When
 * it rejects, nothing was changed: with `BrokerError("ledger_unavailable")` when the storage failed, and otherwise with the
 * error that `work` threw.
 */
export type Transact = <Value>(work: (batch: Batch) => Value, way?: Way) => Promise<Value>

/**
 * Runs `work`, which only reads, outside of any transaction. Rejects with `BrokerError("ledger_unavailable")` when the
 * storage cannot be read.
 */
export type Reading = <Value>(work: () => Value) => Promise<Value>

/**
 * `out`: work that gives something away; the default. `back`: work that ends something, such as a revocation. An adapter
 * may keep a reserve of its storage for the way back, so that nothing that jobs use up can stand in its way.
 */
export type Way = "out" | "back"

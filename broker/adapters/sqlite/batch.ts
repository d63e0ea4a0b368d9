import type { Batch, Opened, Sql, Transact } from "../../ports/sql.ts"

/**
 * What the calls of a transaction have opened. An object of the edge keeps its batch for further transactions: it alone writes
 * to its database, so what it has read and written stays right. After a failure nothing is kept. When the runtime cannot make a
 * commit durable, it ends the object, and what is kept with it.
 */
export class KeptBatch implements Batch {
  readonly #kept = new Map<string, Opened>()
  readonly #touched = new Set<Opened>()

  open<What extends Opened>(name: string, make: () => What): What {
    // The cast is safe: a name stands for one kind of thing.
    const opened = (this.#kept.get(name) as What | undefined) ?? make()
    this.#kept.set(name, opened)
    this.#touched.add(opened)
    return opened
  }

  /** Runs `work` inside `transaction`, and saves what it opened before the commit. */
  run<Value>(transaction: (work: () => Value) => Value, work: (batch: Batch) => Value): Value {
    this.#touched.clear()
    try {
      return transaction(() => {
        const value = work(this)
        for (const opened of this.#touched) opened.save()
        return value
      })
    } catch (error) {
      this.forget()
      throw error
    }
  }

  /** Everything is read anew by the next transaction. */
  forget(): void {
    this.#kept.clear()
    this.#touched.clear()
  }

  /** Unix milliseconds: when the first of what the last transaction opened is due; null when nothing is. */
  get dueAt(): number | null {
    const due = [...this.#touched].flatMap(({ dueAt }) => dueAt ?? [])
    return due.length === 0 ? null : Math.min(...due)
  }
}

/** Runs `work` with a batch of its own, and saves that. Call it inside a transaction. */
export const inBatch = <Value>(work: (batch: Batch) => Value): Value => new KeptBatch().run((inside) => inside(), work)

/** Transactions of one call each. */
export const transactAlone =
  (sql: Pick<Sql, "transaction">): Transact =>
  async (work) =>
    sql.transaction(() => inBatch(work))

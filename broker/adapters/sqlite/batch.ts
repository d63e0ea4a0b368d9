import type { Batch, Opened, Sql, Transact } from "../../ports/sql.ts"

/** A batch that can be saved: once, before the commit. */
export class OpenBatch implements Batch {
  readonly #opened = new Map<string, Opened>()

  open<What extends Opened>(name: string, make: () => What): What {
    const known = this.#opened.get(name)
    // The cast is safe: a name stands for one kind of thing.
    if (known) return known as What
    const opened = make()
    this.#opened.set(name, opened)
    return opened
  }

  save(): void {
    for (const opened of this.#opened.values()) opened.save()
  }
}

/** Runs `work` with a batch of its own, and saves that. Call it inside a transaction. */
export function inBatch<Value>(work: (batch: Batch) => Value): Value {
  const batch = new OpenBatch()
  const value = work(batch)
  batch.save()
  return value
}

/** Transactions of one call each. */
export const transactAlone =
  (sql: Pick<Sql, "transaction">): Transact =>
  async (work) =>
    sql.transaction(() => inBatch(work))

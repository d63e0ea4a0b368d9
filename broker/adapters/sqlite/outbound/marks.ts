import type { Marks } from "../../../ports/marks.ts"
import type { Reading, Sql } from "../../../ports/sql.ts"

/** What alerts and exports must remember of a ledger, beside their places in it. */
export class SqlOutboundMarks implements Marks {
  readonly #sql: Sql
  readonly #work: Reading

  constructor(sql: Sql, work: Reading) {
    this.#sql = sql
    this.#work = work
  }

  read(name: string): Promise<string | null> {
    return this.#work(
      () => this.#sql.all<{ value: string }>("SELECT value FROM outbound_marks WHERE name = ?", name)[0]?.value ?? null,
    )
  }

  write(name: string, value: string): Promise<void> {
    return this.#work(() =>
      this.#sql.run(
        "INSERT INTO outbound_marks VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name,
        value,
      ),
    )
  }
}

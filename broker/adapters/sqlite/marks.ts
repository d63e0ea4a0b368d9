import type { Marks } from "../../ports/marks.ts"
import type { Reading, Sql } from "../../ports/sql.ts"

/** The marks in any SQLite database: the deployment's, or what follows the record must remember. */
export class SqlMarks implements Marks {
  readonly #sql: Sql
  readonly #transact: Reading
  readonly #reading: Reading

  constructor(sql: Sql, transact: Reading, reading: Reading) {
    this.#sql = sql
    this.#transact = transact
    this.#reading = reading
  }

  read(name: string): Promise<string | null> {
    return this.#reading(() => readMark(this.#sql, name))
  }

  async write(name: string, value: string): Promise<void> {
    if ((await this.read(name)) === value) return
    await this.#transact(() => writeMark(this.#sql, name, value))
  }
}

/** Inside a transaction or a reading. */
export function readMark(sql: Sql, name: string): string | null {
  return sql.all<{ value: string }>("SELECT value FROM marks WHERE name = ?", name)[0]?.value ?? null
}

/** Inside a transaction. */
export function writeMark(sql: Sql, name: string, value: string): void {
  sql.run(
    "INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    name,
    value,
  )
}

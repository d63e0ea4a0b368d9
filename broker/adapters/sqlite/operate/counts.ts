import type { Counts } from "../../../ports/metrics.ts"
import type { Sql } from "../../../ports/sql.ts"
import { added, NO_COUNTS } from "../../memory/metrics.ts"

/** Counts of many instances, summed up in one row. Counters begin anew when the database is lost, as after a restart. */
export class SqlCounts {
  readonly #sql: Sql

  constructor(sql: Sql) {
    this.#sql = sql
    sql.run("CREATE TABLE IF NOT EXISTS counts (id INTEGER PRIMARY KEY, sum TEXT NOT NULL) STRICT")
  }

  add(more: Counts): void {
    const sum = JSON.stringify(added(this.read(), more))
    this.#sql.run("INSERT INTO counts (id, sum) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET sum = excluded.sum", sum)
  }

  read(): Counts {
    const [row] = this.#sql.all<{ sum: string }>("SELECT sum FROM counts")
    return row === undefined ? NO_COUNTS : JSON.parse(row.sum)
  }
}

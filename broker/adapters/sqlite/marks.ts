import type { Sql } from "../../ports/sql.ts"

/** Small facts of a deployment that must survive a restart, by name. Call these inside a transaction. */

export function readMark(sql: Sql, name: string): string | null {
  return sql.all<{ value: string }>("SELECT value FROM marks WHERE name = ?", name)[0]?.value ?? null
}

export function writeMark(sql: Sql, name: string, value: string): void {
  sql.run(
    "INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    name,
    value,
  )
}

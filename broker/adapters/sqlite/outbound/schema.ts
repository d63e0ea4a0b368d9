import type { Sql } from "../../../ports/sql.ts"

/** The tables of what leaves the broker by itself. They stand beside those of the follower, in the same database. */
const STEPS: readonly (readonly string[])[] = [
  [
    // Times in Unix milliseconds. A closed message keeps its row, without its body, until `due_at`: then it is forgotten.
    `CREATE TABLE alerts (
      id TEXT NOT NULL,
      endpoint TEXT NOT NULL,
      type TEXT NOT NULL,
      body TEXT NOT NULL,
      queued_at INTEGER NOT NULL,
      due_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL,
      closed INTEGER NOT NULL,
      PRIMARY KEY (endpoint, id)
    ) STRICT, WITHOUT ROWID`,
    "CREATE INDEX alerts_by_due ON alerts (closed, due_at)",
    "CREATE TABLE alert_endpoints (name TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE outbound_marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
  ],
]

/** Makes the tables that are missing. Run it once, before the queue is used. */
export function migrateOutbound(sql: Sql): void {
  sql.transaction(() => {
    sql.run("CREATE TABLE IF NOT EXISTS outbound_version (version INTEGER NOT NULL) STRICT")
    const version = sql.all<{ version: number }>("SELECT version FROM outbound_version")[0]?.version ?? 0
    if (version >= STEPS.length) return
    for (const step of STEPS.slice(version)) for (const statement of step) sql.run(statement)
    sql.run("DELETE FROM outbound_version")
    sql.run("INSERT INTO outbound_version (version) VALUES (?)", STEPS.length)
  })
}

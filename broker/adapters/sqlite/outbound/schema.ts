/** The step of the follower's schema that makes the tables of what leaves the broker by itself. Times in Unix milliseconds. */
export const OUTBOUND_STEP: readonly string[] = [
  // A closed message keeps its row, without its body, until `due_at`: then it is forgotten.
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
  "CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",
]

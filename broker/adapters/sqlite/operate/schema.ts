import type { Sql } from "../../../ports/sql.ts"
import { OUTBOUND_STEP } from "../outbound/schema.ts"

/**
 * The steps that create the tables of what follows the ledgers. Steps are only added, and only add: older code uses a newer
 * database as it is. Times in Unix milliseconds.
 */
const STEPS: readonly (readonly string[])[] = [
  [
    // `noted` grows with each change, so that what has changed is found without reading all ledgers. `indexed`: the last
    // record in the index.
    `CREATE TABLE followed_ledgers (
      id INTEGER PRIMARY KEY,
      issuer TEXT NOT NULL,
      unit_id TEXT NOT NULL,
      unit TEXT,
      unit_kind TEXT,
      owner TEXT,
      owner_id TEXT,
      seq INTEGER NOT NULL,
      chain TEXT NOT NULL,
      latest_at INTEGER NOT NULL,
      open_leases INTEGER NOT NULL,
      noted INTEGER NOT NULL,
      indexed INTEGER NOT NULL DEFAULT 0,
      UNIQUE (issuer, unit_id)
    ) STRICT`,
    "CREATE INDEX followed_ledgers_by_noted ON followed_ledgers (noted)",
    "CREATE TABLE readers (name TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    `CREATE TABLE reader_places (
      reader TEXT NOT NULL,
      ledger INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      PRIMARY KEY (reader, ledger)
    ) STRICT, WITHOUT ROWID`,

    // The columns that a search reads first stand first: SQLite then does not read the pages of the others.
    `CREATE TABLE segments (
      id INTEGER PRIMARY KEY,
      month INTEGER NOT NULL,
      min_at INTEGER NOT NULL,
      max_at INTEGER NOT NULL,
      records INTEGER NOT NULL,
      terms BLOB NOT NULL,
      events TEXT NOT NULL,
      rows BLOB NOT NULL
    ) STRICT`,
    "CREATE INDEX segments_by_newest ON segments (max_at, id)",
    "CREATE INDEX segments_by_month ON segments (month, id)",
    `CREATE TABLE last_uses (
      ledger INTEGER NOT NULL,
      kind TEXT NOT NULL,
      name TEXT NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (ledger, kind, name)
    ) STRICT, WITHOUT ROWID`,
  ],
  [
    // The trees of ledgers, and those of logs of heads, whose issuer is empty.
    `CREATE TABLE trees (
      id INTEGER PRIMARY KEY,
      issuer TEXT NOT NULL,
      unit_id TEXT NOT NULL,
      size INTEGER NOT NULL,
      UNIQUE (issuer, unit_id)
    ) STRICT`,
    `CREATE TABLE tiles (
      tree INTEGER NOT NULL,
      level INTEGER NOT NULL,
      tile INTEGER NOT NULL,
      hashes BLOB NOT NULL,
      PRIMARY KEY (tree, level, tile)
    ) STRICT`,
    // The last heads of each ledger in a log.
    `CREATE TABLE logged_heads (
      log TEXT NOT NULL,
      tree INTEGER NOT NULL,
      place INTEGER NOT NULL,
      size INTEGER NOT NULL,
      root TEXT NOT NULL,
      PRIMARY KEY (log, tree, place)
    ) STRICT, WITHOUT ROWID`,
  ],
  OUTBOUND_STEP,
]

/** Brings the tables to this code's schema. Returns whether the database was empty. */
export function migrateOperate(sql: Sql, steps = STEPS): boolean {
  return sql.transaction(() => {
    sql.run("CREATE TABLE IF NOT EXISTS operate_version (version INTEGER NOT NULL) STRICT")
    const version = sql.all<{ version: number }>("SELECT version FROM operate_version")[0]?.version ?? 0
    if (version >= steps.length) return false
    for (const step of steps.slice(version)) for (const statement of step) sql.run(statement)
    sql.run("DELETE FROM operate_version")
    sql.run("INSERT INTO operate_version (version) VALUES (?)", steps.length)
    return version === 0
  })
}

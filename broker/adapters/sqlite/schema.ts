import { BrokerError } from "../../core/errors.ts"
import type { Sql } from "../../ports/sql.ts"

/**
 * The steps that create the tables. The schema's version is the number of steps that a database has taken. Steps are only
 * added, never changed.
 *
 * Every row names its ledger, so that one file for all repositories and one Durable Object for each have the same tables.
 * Each query of the ledger uses a primary key or an index, and never scans a table.
 */
const STEPS: readonly (readonly string[])[] = [
  [
    // One row for each ledger: the end of its chain, and when it is due next (Unix milliseconds, null: never).
    `CREATE TABLE ledgers (
      id INTEGER PRIMARY KEY,
      issuer TEXT NOT NULL,
      repository_id TEXT NOT NULL,
      seq INTEGER NOT NULL,
      chain TEXT NOT NULL,
      due_at INTEGER,
      UNIQUE (issuer, repository_id)
    ) STRICT`,
    "CREATE INDEX ledgers_by_due ON ledgers (due_at) WHERE due_at IS NOT NULL",

    `CREATE TABLE audit (
      ledger INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      record TEXT NOT NULL,
      leaf TEXT NOT NULL,
      chain TEXT NOT NULL,
      PRIMARY KEY (ledger, seq)
    ) STRICT`,

    // expires_at in Unix seconds, as in the token.
    `CREATE TABLE used_tokens (
      ledger INTEGER NOT NULL,
      key TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      replay_recorded INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (ledger, key)
    ) STRICT, WITHOUT ROWID`,
    "CREATE INDEX used_tokens_by_expiry ON used_tokens (ledger, expires_at)",

    // Times in Unix milliseconds.
    `CREATE TABLE leases (
      ledger INTEGER NOT NULL,
      id TEXT NOT NULL,
      run_id TEXT NOT NULL,
      run_attempt TEXT NOT NULL,
      state TEXT NOT NULL CHECK (
        state IN ('open', 'active', 'revoking', 'revoked', 'expired', 'expires-only', 'failed')
      ),
      ends_by INTEGER NOT NULL,
      due_at INTEGER NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (ledger, id)
    ) STRICT, WITHOUT ROWID`,
    "CREATE INDEX leases_by_due ON leases (ledger, due_at)",

    `CREATE TABLE credentials (
      ledger INTEGER NOT NULL,
      lease TEXT NOT NULL,
      grant_name TEXT NOT NULL,
      connection TEXT NOT NULL,
      provider TEXT NOT NULL,
      revocation TEXT NOT NULL CHECK (revocation IN ('revocable', 'expires-only')),
      expires_at INTEGER,
      sealed_handle TEXT,
      ended TEXT CHECK (ended IN ('revoked', 'expired', 'expires-only')),
      PRIMARY KEY (ledger, lease, grant_name),
      -- What can take a credential back is kept no longer than the credential.
      CHECK (ended IS NULL OR sealed_handle IS NULL)
    ) STRICT, WITHOUT ROWID`,

    `CREATE TABLE key_ring (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      version INTEGER NOT NULL,
      keys TEXT NOT NULL
    ) STRICT`,
    "INSERT INTO key_ring (id, version, keys) VALUES (1, 0, '[]')",
  ],
  [
    // Times in Unix milliseconds. Older credentials have no granted time, and end as before.
    "ALTER TABLE credentials ADD COLUMN granted_until INTEGER",
    "ALTER TABLE leases ADD COLUMN over_since INTEGER",
    "ALTER TABLE leases ADD COLUMN tried_at INTEGER",
    // In the old schema, a revocation always concerned the whole lease.
    "UPDATE leases SET over_since = 0, tried_at = 0 WHERE state = 'revoking'",
  ],
  [
    // One row: what this database is, and what it can vouch for. `accept_from` in Unix seconds.
    `CREATE TABLE store (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      generation TEXT NOT NULL,
      commits INTEGER NOT NULL,
      accept_from INTEGER NOT NULL
    ) STRICT`,
    "INSERT INTO store (id, generation, commits, accept_from) VALUES (1, '', 0, 0)",
    // Small facts of the deployment that must survive a restart, by name.
    "CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID",

    // The latest time that the ledger has seen (Unix milliseconds), and the latest end of a token that it has forgotten
    // (Unix seconds).
    "ALTER TABLE ledgers ADD COLUMN latest_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE ledgers ADD COLUMN forgotten_until INTEGER NOT NULL DEFAULT 0",
    // What the ledger's quotas have counted: a JSON object, see `quotas.ts`.
    "ALTER TABLE ledgers ADD COLUMN quotas TEXT NOT NULL DEFAULT ''",
    `UPDATE ledgers SET quotas = json_object('openLeases', (
      SELECT count(*) FROM leases WHERE ledger = ledgers.id AND state IN ('open', 'active', 'revoking')
    ))`,

    // Unix milliseconds: until when what an interrupted exchange minted may live; 0 when nothing can.
    "ALTER TABLE leases ADD COLUMN unknown_until INTEGER NOT NULL DEFAULT 0",
    // The open leases of grants that limit how many there may be.
    `CREATE TABLE limited_grants (
      ledger INTEGER NOT NULL,
      lease TEXT NOT NULL,
      grant_key TEXT NOT NULL,
      PRIMARY KEY (ledger, lease, grant_key)
    ) STRICT, WITHOUT ROWID`,
    "CREATE INDEX limited_grants_by_key ON limited_grants (ledger, grant_key)",
  ],
]

/** The version that this code reads and writes. */
export const SCHEMA_VERSION = STEPS.length

/**
 * Brings a database to this code's schema. Runs all missing steps in one transaction.
 *
 * @throws {BrokerError} `ledger_unavailable` for a database of a newer version: reading it with older rules could lose the
 *   protection that it records
 */
export function migrate(sql: Sql): void {
  sql.transaction(() => {
    sql.run("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")
    const version = schemaVersion(sql)
    if (version > SCHEMA_VERSION) {
      throw new BrokerError(
        "ledger_unavailable",
        `a newer version of Daypass wrote this ledger (schema ${version}; this version knows ${SCHEMA_VERSION}): run that version or a later one`,
      )
    }
    if (version === SCHEMA_VERSION) return
    for (const step of STEPS.slice(version)) for (const statement of step) sql.run(statement)
    sql.run("DELETE FROM schema_version")
    sql.run("INSERT INTO schema_version (version) VALUES (?)", SCHEMA_VERSION)
  })
}

function schemaVersion(sql: Sql): number {
  return sql.all<{ version: number }>("SELECT version FROM schema_version")[0]?.version ?? 0
}

import { BrokerError } from "../../core/errors.ts"
import type { Sql } from "../../ports/sql.ts"

/**
 * The steps that create the tables. The schema's version is the number of steps that a database has taken. Steps are only
 * added, never changed.
 *
 * Every row names its ledger, so that one file for all units and one Durable Object for each have the same tables.
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
  [
    // The thumbprint of the key that the first use of a token bound, null when it proved none; and how many proofs of it were
    // used. Older code binds no token, and refuses every token that has an entry.
    "ALTER TABLE used_tokens ADD COLUMN bound_to TEXT",
    "ALTER TABLE used_tokens ADD COLUMN proofs INTEGER NOT NULL DEFAULT 0",
  ],
  [
    // A lease's credentials, as JSON. Null: they are still in the table `credentials`. They move with the lease's next change,
    // and not now, because an object of the edge may hold millions. Older code would not find them, and end nothing.
    "ALTER TABLE leases ADD COLUMN credentials TEXT",
  ],
  [
    // The deployment's documents, by name. Stops are among them: older code would not look, and grant what is stopped.
    "CREATE TABLE documents (name TEXT PRIMARY KEY, version INTEGER NOT NULL, text TEXT NOT NULL) STRICT, WITHOUT ROWID",
  ],
  [
    // Where ledgers begin whose older records were archived; see `StoredCut`. Older code exports them without saying so.
    `CREATE TABLE archived (
      ledger INTEGER PRIMARY KEY,
      seq INTEGER NOT NULL,
      chain TEXT NOT NULL,
      edge TEXT NOT NULL,
      day INTEGER NOT NULL,
      reach INTEGER NOT NULL
    ) STRICT`,
  ],
]

/** The version that this code writes. */
export const SCHEMA_VERSION = STEPS.length

/**
 * The oldest version whose code may go on using a database of `SCHEMA_VERSION`. It is stored with the version.
 *
 * After a deploy, objects and Workers run different versions for minutes, and a rollback brings the older one back. An
 * older code that refuses its database ends no lease. So a new step leaves this floor where it is, if it only adds: a
 * table, an index, or a column with a default, none of which older code reads, and whose value stays right or errs on the
 * side of refusal while older code writes beside it. Any other step raises the floor to its own version.
 *
 * Code of version 2 and before knows no floor. It refuses every newer database.
 */
const READABLE_FROM = 6

/**
 * Brings a database to this code's schema. Runs all missing steps in one transaction. A database of a newer version, whose
 * floor this code reaches, stays as it is.
 *
 * @param steps of another version, for tests of an upgrade and a rollback
 * @throws {BrokerError} `ledger_unavailable` for a newer database whose floor is above this code: reading it with older
 *   rules could lose the protection that it records
 */
export function migrate(sql: Sql, steps = STEPS, readableFrom = READABLE_FROM): void {
  sql.transaction(() => {
    sql.run("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL, readable_from INTEGER) STRICT")
    const [row] = sql.all<{ version: number; readable_from?: number | null }>("SELECT * FROM schema_version")
    const version = row?.version ?? 0
    // Without a floor, only its own version and later ones may use it.
    const floor = row?.readable_from ?? version
    if (version > steps.length && floor > steps.length) {
      throw new BrokerError(
        "ledger_unavailable",
        `a newer version of Daypass wrote this ledger (schema ${version}, readable from ${floor}; this version knows ${steps.length}): run that version or a later one`,
      )
    }
    if (version >= steps.length) return
    for (const step of steps.slice(version)) for (const statement of step) sql.run(statement)
    // Version 2 and before made the table without the floor.
    if (row && !("readable_from" in row)) sql.run("ALTER TABLE schema_version ADD COLUMN readable_from INTEGER")
    sql.run("DELETE FROM schema_version")
    sql.run("INSERT INTO schema_version (version, readable_from) VALUES (?, ?)", steps.length, readableFrom)
  })
}

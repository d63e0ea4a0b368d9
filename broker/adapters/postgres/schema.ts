import { OUTBOUND_STEP } from "./alert-queue.ts"
import { FaultFound } from "./faults.ts"
import { FOLLOW_STEP } from "./follow-schema.ts"
import type { Session } from "./session.ts"
import { TREE_STEP } from "./tree-schema.ts"

/**
 * The steps that create the tables, in the schema `daypass` of the database. The schema's version is the number of steps that
 * a database has taken. Steps are only added, never changed.
 *
 * A ledger's id is the first half of the hash of its name: see `ledger-id.ts`. So its rows can be read and locked in one round
 * trip, and an id never means another ledger in a database that was set back.
 *
 * Texts that are hashed or compared are `text`: `jsonb` would write them anew.
 */
const STEPS: readonly (readonly string[])[] = [
  [
    // One row: what this database is, and what it can vouch for. `accept_from` in Unix seconds. `system_id` and `timeline`:
    // the server that wrote last. `has_standby`: a commit there waited for a standby. `generation` counts how often the
    // database was found to be older than what was known of it.
    `CREATE TABLE daypass.store (
      id integer PRIMARY KEY CHECK (id = 1),
      schema_version integer NOT NULL,
      readable_from integer NOT NULL,
      deployment text NOT NULL,
      generation integer NOT NULL,
      accept_from bigint NOT NULL,
      system_id text NOT NULL,
      timeline text NOT NULL,
      has_standby boolean NOT NULL
    )`,
    "INSERT INTO daypass.store VALUES (1, 0, 0, '', 0, 0, '', '', false)",

    // Times in Unix milliseconds, here and below, unless it is said otherwise.
    `CREATE TABLE daypass.ledgers (
      id uuid PRIMARY KEY,
      issuer text NOT NULL,
      unit_id text NOT NULL,
      seq bigint NOT NULL,
      chain text NOT NULL,
      due_at bigint,
      latest_at bigint NOT NULL,
      forgotten_until bigint NOT NULL,
      quotas text NOT NULL,
      swept_by uuid,
      swept_until timestamptz,
      UNIQUE (issuer, unit_id)
    ) WITH (fillfactor = 70)`,
    "CREATE INDEX ledgers_by_due ON daypass.ledgers (due_at) WHERE due_at IS NOT NULL",

    `CREATE TABLE daypass.audit (
      ledger uuid NOT NULL,
      seq bigint NOT NULL,
      record text NOT NULL,
      leaf text NOT NULL,
      chain text NOT NULL,
      PRIMARY KEY (ledger, seq)
    )`,

    // expires_at in Unix seconds, as in the token.
    `CREATE TABLE daypass.used_tokens (
      ledger uuid NOT NULL,
      key text NOT NULL,
      expires_at bigint NOT NULL,
      bound_to text,
      proofs integer NOT NULL,
      replay_recorded boolean NOT NULL,
      PRIMARY KEY (ledger, key)
    )`,
    "CREATE INDEX used_tokens_by_expiry ON daypass.used_tokens (ledger, expires_at)",

    `CREATE TABLE daypass.leases (
      ledger uuid NOT NULL,
      id text NOT NULL,
      run_id text NOT NULL,
      run_attempt text NOT NULL,
      state text NOT NULL CHECK (
        state IN ('open', 'active', 'revoking', 'revoked', 'expired', 'expires-only', 'failed')
      ),
      ends_by bigint NOT NULL,
      over_since bigint,
      due_at bigint NOT NULL,
      tried_at bigint,
      attempts integer NOT NULL,
      unknown_until bigint NOT NULL,
      credentials text NOT NULL,
      PRIMARY KEY (ledger, id)
    )`,
    "CREATE INDEX leases_by_due ON daypass.leases (ledger, due_at)",

    // The open leases of grants that limit how many there may be.
    `CREATE TABLE daypass.limited_grants (
      ledger uuid NOT NULL,
      lease text NOT NULL,
      grant_key text NOT NULL,
      PRIMARY KEY (ledger, lease, grant_key)
    )`,
    "CREATE INDEX limited_grants_by_key ON daypass.limited_grants (ledger, grant_key)",

    "CREATE TABLE daypass.key_ring (id integer PRIMARY KEY CHECK (id = 1), version bigint NOT NULL, keys text NOT NULL)",
    "INSERT INTO daypass.key_ring VALUES (1, 0, '[]')",
    // Small facts of the deployment that must survive a restart, by name.
    "CREATE TABLE daypass.marks (name text PRIMARY KEY, value text NOT NULL)",
  ],
  [
    // The deployment's documents, by name. Stops are among them: older code would not look, and grant what is stopped.
    "CREATE TABLE daypass.documents (name text PRIMARY KEY, version bigint NOT NULL, text text NOT NULL)",
  ],
  FOLLOW_STEP,
  TREE_STEP,
  OUTBOUND_STEP,
  [
    // Where ledgers begin whose older records were archived; see `StoredCut`. Older code exports them without saying so.
    `CREATE TABLE daypass.archived (
      ledger uuid PRIMARY KEY,
      seq bigint NOT NULL,
      chain text NOT NULL,
      edge text NOT NULL,
      day bigint NOT NULL,
      reach bigint NOT NULL
    )`,
  ],
]

/** The version that this code writes. */
export const SCHEMA_VERSION = STEPS.length

/**
 * The oldest version whose code may go on using a database of `SCHEMA_VERSION`. Brokers of two versions run side by side during
 * an update. So a new step leaves this floor where it is, if it only adds what older code need not know. Any other step raises
 * the floor to its own version, and older brokers then grant nothing.
 */
const READABLE_FROM = 2

export const TABLES = [
  "store",
  "ledgers",
  "audit",
  "used_tokens",
  "leases",
  "limited_grants",
  "key_ring",
  "marks",
  "documents",
  "followed_ledgers",
  "readers",
  "reader_places",
  "segments",
  "last_uses",
  "follower",
  "trees",
  "tiles",
  "logged_heads",
  "alerts",
  "alert_endpoints",
  "outbound_marks",
  "archived",
] as const

/** Only one broker changes the schema at a time. A lock of the transaction, because a pooler would leave others behind. */
const MIGRATION_LOCK = 0x6461_7970

/**
 * Brings a database to this code's schema, in one transaction. A database of a newer version, whose floor this code reaches,
 * stays as it is.
 *
 * @param steps of another version, for tests of an upgrade and a rollback
 * @throws {FaultFound} `newer`, when its floor is above this code
 */
export async function migrate(session: Session, steps = STEPS, readableFrom = READABLE_FROM): Promise<void> {
  await session.begin()
  try {
    await session.run({ text: "SET LOCAL lock_timeout = '10s'" })
    await session.run({ text: `SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})` })
    const version = await versionOf(session, steps.length)
    if (version < steps.length) {
      if (version === 0) await session.run({ text: "CREATE SCHEMA IF NOT EXISTS daypass" })
      for (const step of steps.slice(version)) for (const text of step) await session.run({ text })
      await session.run({
        text: `UPDATE daypass.store SET schema_version = ${steps.length}, readable_from = ${readableFrom} WHERE id = 1`,
      })
    }
    await session.run({ text: "COMMIT" })
  } catch (error) {
    await session.run({ text: "ROLLBACK" }).catch(() => {})
    throw error
  }
}

async function versionOf(session: Session, known: number): Promise<number> {
  const { rows: tables } = await session.run({ text: "SELECT to_regclass('daypass.store') IS NOT NULL AS there" })
  if (tables[0]?.["there"] !== true) return 0
  const { rows } = await session.run<{ schema_version: number; readable_from: number }>({
    text: "SELECT schema_version, readable_from FROM daypass.store WHERE id = 1",
  })
  const [row] = rows
  if (!row) throw new FaultFound("missing")
  if (row.schema_version > known && row.readable_from > known) throw new FaultFound("newer")
  return row.schema_version
}

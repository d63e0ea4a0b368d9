import type { Sha256 } from "../../core/audit-chain.ts"
import { BrokerError } from "../../core/errors.ts"
import type { Sql, SqlRow } from "../../ports/sql.ts"
import { writeCredentials } from "../ledger/rows.ts"
import { SqliteLeases } from "../sqlite/sqlite-leases.ts"
import { readStore } from "../sqlite/store-row.ts"
import type { DatabaseAddress } from "./address.ts"
import { exportLines } from "./audit-export.ts"
import { FaultFound } from "./faults.ts"
import { ledgerName } from "./ledger-id.ts"
import { checkTables, refusalOf } from "./opening.ts"
import { migrate } from "./schema.ts"
import { rowsOf, type Session } from "./session.ts"
import { openPrimary } from "./sessions.ts"
import { inTransaction } from "./store-row.ts"

const PAGE_ROWS = 1000

type Values = Readonly<Record<string, string | number | boolean | null>>

/** One table: its columns in PostgreSQL, and how a page of it is read from SQLite after the row `first`. */
interface Table {
  readonly name: string
  readonly columns: string
  readonly keys: readonly string[]
  /** Less than every key. */
  readonly first: readonly (string | number)[]
}

const TABLES: readonly Table[] = [
  {
    name: "ledgers",
    columns:
      "id uuid, issuer text, unit_id text, seq bigint, chain text, due_at bigint, latest_at bigint, forgotten_until bigint, quotas text",
    keys: ["id"],
    first: [0],
  },
  {
    name: "audit",
    columns: "ledger uuid, seq bigint, record text, leaf text, chain text",
    keys: ["ledger", "seq"],
    first: [0, 0],
  },
  {
    name: "used_tokens",
    columns: "ledger uuid, key text, expires_at bigint, bound_to text, proofs integer, replay_recorded boolean",
    keys: ["ledger", "key"],
    first: [0, ""],
  },
  {
    name: "leases",
    columns:
      "ledger uuid, id text, run_id text, run_attempt text, state text, ends_by bigint, over_since bigint, due_at bigint, tried_at bigint, attempts integer, unknown_until bigint, credentials text",
    keys: ["ledger", "id"],
    first: [0, ""],
  },
  {
    name: "limited_grants",
    columns: "ledger uuid, lease text, grant_key text",
    keys: ["ledger", "lease", "grant_key"],
    first: [0, "", ""],
  },
  {
    name: "archived",
    columns: "ledger uuid, seq bigint, chain text, edge text, day bigint, reach bigint",
    keys: ["ledger"],
    first: [0],
  },
  { name: "marks", columns: "name text, value text", keys: ["name"], first: [""] },
  { name: "documents", columns: "name text, version bigint, text text", keys: ["name"], first: [""] },
]

/**
 * Copies everything that a broker on SQLite stored into a new database: ledgers, records, used tokens, leases, keys, marks, documents. In
 * one transaction, so that it is whole or not there.
 *
 * @param check runs before the commit, with the audit trail of the database as it will be; when it throws, nothing is copied
 * @throws {BrokerError} `ledger_unavailable` for a database that cannot be used, or that a broker has used already
 */
export async function copyLedger(
  source: Sql,
  address: DatabaseAddress,
  sha256: Sha256,
  check: (lines: AsyncIterable<string>) => Promise<void>,
): Promise<void> {
  let session: Session | undefined
  try {
    const target = await openPrimary(address)
    session = target
    await migrate(target)
    await checkTables(target)
    await inTransaction(target, "", async ({ undurable }) => {
      if (undurable) throw undurable
      await mustBeNew(target)
      const ids = new Map<number, string>()
      for (const table of TABLES) await copyTable(table, source, target, ids, sha256)
      await copyOwnRows(source, target)
      await check(exportLines(target))
    })
  } catch (cause) {
    // Its row names a deployment: a broker has started on it.
    if (cause instanceof FaultFound && cause.fault === "foreign") throw used()
    throw cause instanceof BrokerError ? cause : refusalOf(address, cause)
  } finally {
    await session?.close()
  }
}

const used = () =>
  new BrokerError(
    "ledger_unavailable",
    "a broker has used this database already: copy into a new one, before the first broker starts on it",
  )

/** Locks the store's row, so that no broker begins to use the database meanwhile. */
async function mustBeNew(session: Session): Promise<void> {
  const { rows } = await session.run<{ is_new: boolean }>({
    text: `SELECT deployment = '' AND NOT EXISTS (SELECT 1 FROM daypass.ledgers) AND NOT EXISTS (SELECT 1 FROM daypass.marks)
        AND NOT EXISTS (SELECT 1 FROM daypass.documents)
        AND (SELECT version FROM daypass.key_ring WHERE id = 1) = 0 AS is_new
      FROM daypass.store WHERE id = 1 FOR UPDATE`,
  })
  if (rows[0]?.is_new !== true) throw used()
}

async function copyTable(
  { name, columns, keys, first }: Table,
  source: Sql,
  session: Session,
  ids: Map<number, string>,
  sha256: Sha256,
): Promise<void> {
  const names = columns.split(", ").map((column) => column.split(" ")[0])
  const text = `INSERT INTO daypass.${name} (${names}) SELECT * FROM json_to_recordset($1::text::json) AS w(${columns})`
  const order = keys.join(", ")
  const select = `SELECT * FROM ${name} WHERE (${order}) > (${keys.map(() => "?").join(", ")}) ORDER BY ${order} LIMIT ?`
  let last = first
  for (;;) {
    const page = source.all<SqlRow>(select, ...last, PAGE_ROWS)
    const end = page.at(-1)
    if (!end) return
    const rows = page.map((row) => (name === "ledgers" ? ledgerRow(row, ids, sha256) : otherRow(row, ids, source)))
    await session.run({ text, values: [rowsOf(rows)] })
    last = keys.map((key) => end[key] as string | number)
  }
}

function ledgerRow(row: SqlRow, ids: Map<number, string>, sha256: Sha256): Values {
  const unitId = String(row["repository_id"])
  const { id } = ledgerName({ issuerUrl: String(row["issuer"]), unitId }, sha256)
  ids.set(Number(row["id"]), id)
  return { ...row, id, unit_id: unitId }
}

function otherRow(row: SqlRow, ids: ReadonlyMap<number, string>, source: Sql): Values {
  if (!("ledger" in row)) return row as Values
  const ledger = ids.get(Number(row["ledger"])) ?? null
  if ("replay_recorded" in row) return { ...row, ledger, replay_recorded: row["replay_recorded"] === 1 }
  if (!("run_id" in row)) return { ...row, ledger }
  // The credentials of leases that an earlier version wrote are in a table of their own.
  const lease = new SqliteLeases(source, Number(row["ledger"])).find(String(row["id"]))
  return { ...row, ledger, credentials: writeCredentials(lease?.credentials ?? []) }
}

async function copyOwnRows(source: Sql, session: Session): Promise<void> {
  const [ring] = source.all<{ version: number; keys: string }>("SELECT version, keys FROM key_ring WHERE id = 1")
  if (!ring) throw new Error("the key ring's row is missing")
  await session.run({
    text: "UPDATE daypass.key_ring SET version = $1::bigint, keys = $2 WHERE id = 1",
    values: [ring.version, ring.keys],
  })
  await session.run({
    text: "UPDATE daypass.store SET accept_from = $1::bigint WHERE id = 1",
    values: [readStore(source).acceptFrom],
  })
}

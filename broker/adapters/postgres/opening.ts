import { BrokerError } from "../../core/errors.ts"
import type { DatabaseAddress } from "./address.ts"
import { FAULTS, FaultFound, faultOf } from "./faults.ts"
import { migrate, TABLES } from "./schema.ts"
import type { Session } from "./session.ts"
import { inTransaction } from "./store-row.ts"

/**
 * Brings the database to this code's schema and checks that it keeps what it confirms, and that it belongs to this deployment.
 * The first start writes the deployment's name.
 *
 * @throws {FaultFound} and the server's error
 */
export async function openDatabase(session: Session, deployment: string): Promise<void> {
  await migrate(session)
  await claim(session, deployment)
  await checkTables(session)
  await inTransaction(session, deployment, async ({ undurable }) => {
    if (undurable) throw undurable
  })
}

/** A database without a name belongs to the deployment that comes first. */
async function claim(session: Session, deployment: string): Promise<void> {
  await session.runAlone({
    text: "UPDATE daypass.store SET deployment = $1 WHERE id = 1 AND deployment = ''",
    values: [deployment],
  })
}

type TableRow = { readonly name: string; readonly persistence: string; readonly allowed: boolean }

/**
 * Looks at the tables. Privileges that are missing show here, and not in the middle of an exchange.
 *
 * @throws {FaultFound}
 */
export async function checkTables(session: Session): Promise<void> {
  const { rows } = await session.run<TableRow>({
    text: `SELECT relname AS name, relpersistence AS persistence,
        has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
        AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE') AS allowed
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'daypass' AND c.relkind IN ('r', 'p')`,
  })
  const byName = new Map(rows.map((row) => [row.name, row]))
  for (const table of TABLES) {
    const row = byName.get(table)
    if (!row) throw new FaultFound("missing")
    if (row.persistence !== "p") throw new FaultFound("unlogged")
    if (!row.allowed) throw new FaultFound("refused")
  }
}

/** Why a database cannot be used, for the operator: what to change, and the server's code, but none of its words. */
export function refusalOf({ name }: DatabaseAddress, cause: unknown): BrokerError {
  const fault = faultOf(cause)
  const why = fault === null ? "it refused a statement" : `${FAULTS[fault].reason} What to do: ${FAULTS[fault].remedy}`
  const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : ""
  return new BrokerError("ledger_unavailable", `the database ${name} cannot be used: ${why}${code}`, { cause })
}

import { exportLines } from "../sqlite/audit-export.ts"
import { NodeSql, openLedgerFileReadOnly } from "./sqlite.ts"

/**
 * The audit trail of every repository in a data folder, line by line, as it stood when the first line was read.
 *
 * Reads only, beside a broker that may be running. Throws what `node:sqlite` throws when there is no ledger in the folder.
 */
export function* readAuditTrail(folder: string): Generator<string> {
  const sql = new NodeSql(openLedgerFileReadOnly(folder))
  try {
    // One read transaction: records that the broker appends meanwhile are not seen, and heads fit their records.
    sql.run("BEGIN")
    yield* exportLines(sql)
  } finally {
    sql.database.close()
  }
}

import { exportLines } from "../sqlite/audit-export.ts"
import { NodeSql, openLedgerFileReadOnly } from "./sqlite.ts"

/**
 * The audit trail of every unit in a data folder, line by line, at the time when the first line is read.
 *
 * Only reads, so a broker may be running at the same time. Throws the error of `node:sqlite` when the folder has no ledger.
 */
export function* readAuditTrail(folder: string): Generator<string> {
  const sql = new NodeSql(openLedgerFileReadOnly(folder))
  try {
    // One read transaction: records that the broker appends later are not visible, so heads match their records.
    sql.run("BEGIN")
    yield* exportLines(sql)
  } finally {
    sql.database.close()
  }
}

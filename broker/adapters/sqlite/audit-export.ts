import { ExportWriter } from "../../core/audit-export.ts"
import type { Sql } from "../../ports/sql.ts"

const PAGE_ROWS = 500

type LedgerRow = { id: number; issuer: string; repository_id: string; seq: number; chain: string }
type AuditRow = { seq: number; text: string; leaf: string; chain: string }

/**
 * The audit trail of every ledger in the database, as the lines of one file.
 *
 * Run it inside one read transaction, so that heads match their records. It returns what is stored, without corrections.
 * The head comes from the ledger's row, and not from the last record, so that missing records at the end become visible.
 */
export function* exportLines(sql: Sql): Generator<string> {
  const writer = new ExportWriter()
  for (let ledger = nextLedger(sql, 0); ledger; ledger = nextLedger(sql, ledger.id)) {
    yield writer.ledger({ issuer: ledger.issuer, unit_id: ledger.repository_id })
    const [cut] = sql.all<{ seq: number; chain: string }>("SELECT seq, chain FROM archived WHERE ledger = ?", ledger.id)
    if (cut) yield writer.from(cut)
    let after = cut?.seq ?? 0
    for (let page = nextPage(sql, ledger.id, after); page.length > 0; page = nextPage(sql, ledger.id, after)) {
      for (const row of page) {
        yield writer.record(row)
        after = row.seq
      }
    }
    yield writer.head(ledger)
  }
  yield writer.end()
}

function nextLedger(sql: Sql, after: number): LedgerRow | undefined {
  return sql.all<LedgerRow>(
    "SELECT id, issuer, repository_id, seq, chain FROM ledgers WHERE id > ? ORDER BY id LIMIT 1",
    after,
  )[0]
}

function nextPage(sql: Sql, ledger: number, after: number): readonly AuditRow[] {
  return sql.all<AuditRow>(
    "SELECT seq, record AS text, leaf, chain FROM audit WHERE ledger = ? AND seq > ? ORDER BY seq LIMIT ?",
    ledger,
    after,
    PAGE_ROWS,
  )
}

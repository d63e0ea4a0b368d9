import { ExportWriter } from "../../core/audit-export.ts"
import type { DatabaseAddress } from "./address.ts"
import { refusalOf } from "./opening.ts"
import type { Session } from "./session.ts"
import { openPrimary } from "./sessions.ts"

const PAGE_ROWS = 500

type LedgerRow = {
  readonly id: string
  readonly issuer: string
  readonly unit_id: string
  readonly seq: number
  readonly chain: string
}
type AuditRow = { readonly seq: number; readonly text: string; readonly leaf: string; readonly chain: string }

/**
 * The audit trail of every ledger in the database, as the lines of one file.
 *
 * Run it inside one transaction that sees one state, so that heads match their records. It returns what is stored, without
 * corrections. The head comes from the ledger's row, so that missing records at the end become visible.
 */
export async function* exportLines(session: Session): AsyncGenerator<string> {
  const writer = new ExportWriter()
  for (let ledger = await nextLedger(session, null); ledger; ledger = await nextLedger(session, ledger.id)) {
    yield writer.ledger({ issuer: ledger.issuer, unit_id: ledger.unit_id })
    const cut = await cutOf(session, ledger.id)
    if (cut) yield writer.from(cut)
    let after = cut?.seq ?? 0
    let page = await nextPage(session, ledger.id, after)
    while (page.length > 0) {
      for (const row of page) {
        yield writer.record(row)
        after = row.seq
      }
      page = await nextPage(session, ledger.id, after)
    }
    yield writer.head(ledger)
  }
  yield writer.end()
}

async function nextLedger(session: Session, after: string | null): Promise<LedgerRow | undefined> {
  const { rows } = await session.run<LedgerRow>({
    text: `SELECT id, issuer, unit_id, seq, chain FROM daypass.ledgers
      WHERE id > coalesce($1::text, '00000000-0000-0000-0000-000000000000')::uuid ORDER BY id LIMIT 1`,
    values: [after],
  })
  return rows[0]
}

async function cutOf(session: Session, ledger: string) {
  const { rows } = await session.run<{ readonly seq: number; readonly chain: string }>({
    text: "SELECT seq, chain FROM daypass.archived WHERE ledger = $1::text::uuid",
    values: [ledger],
  })
  return rows[0]
}

async function nextPage(session: Session, ledger: string, after: number): Promise<readonly AuditRow[]> {
  const { rows } = await session.run<AuditRow>({
    text: `SELECT seq, record AS text, leaf, chain FROM daypass.audit
      WHERE ledger = $1::text::uuid AND seq > $2::bigint ORDER BY seq LIMIT $3::bigint`,
    values: [ledger, after, PAGE_ROWS],
  })
  return rows
}

/**
 * The audit trail as it was when the first line was read. Only reads, so brokers may be running.
 *
 * @throws {BrokerError} `ledger_unavailable` when the database cannot be read
 */
export async function* readAuditTrail(address: DatabaseAddress): AsyncGenerator<string> {
  let session: Session | undefined
  try {
    session = await openPrimary(address)
    await session.begin("REPEATABLE READ READ ONLY")
    yield* exportLines(session)
  } catch (cause) {
    throw refusalOf(address, cause)
  } finally {
    await session?.close()
  }
}

import type { Sha256 } from "../../core/audit-chain.ts"
import type { Head, LedgerKey } from "../ledger/rows.ts"
import { type LedgerName, ledgerName } from "./ledger-id.ts"
import { rowsOf, type Session } from "./session.ts"

/** How many ledgers a broker remembers: some hundred bytes each. */
const MOST = 10_000

/**
 * What this broker knows of ledgers from its own transactions: that they exist, and how far their chains had come. A chain that
 * is shorter than it was belongs to a database that was set back.
 */
export class KnownLedgers {
  readonly #names = new Map<string, LedgerName>()
  readonly #made = new Set<string>()
  readonly #heads = new Map<string, Pick<Head, "seq" | "chain">>()

  nameOf(key: LedgerKey, sha256: Sha256): LedgerName {
    const text = textOf(key)
    const known = this.#names.get(text)
    if (known) return known
    const name = ledgerName(key, sha256)
    remember(this.#names, text, name)
    return name
  }

  isMade(key: LedgerKey): boolean {
    return this.#made.has(textOf(key))
  }

  made(key: LedgerKey): void {
    if (this.#made.size >= MOST) this.#made.clear()
    this.#made.add(textOf(key))
  }

  /** It was not found, or another broker has it locked: perhaps the database was set back to before it was made. */
  forget(key: LedgerKey): void {
    this.#made.delete(textOf(key))
  }

  /** A head that is committed. */
  sawHead(id: string, { seq, chain }: Pick<Head, "seq" | "chain">): void {
    // The answers of two commits can arrive in the wrong order.
    if ((this.#heads.get(id)?.seq ?? 0) <= seq) remember(this.#heads, id, { seq, chain })
  }

  /** Whether a head is older than one that was committed, or another one with its number. */
  isSetBack(id: string, { seq, chain }: Pick<Head, "seq" | "chain">): boolean {
    const seen = this.#heads.get(id)
    return seen !== undefined && (seq < seen.seq || (seq === seen.seq && chain !== seen.chain))
  }

  /** The database was set back, and that is noted: what it has now counts. */
  forgetAll(): void {
    this.#made.clear()
    this.#heads.clear()
  }
}

const textOf = ({ issuerUrl, unitId }: LedgerKey) => JSON.stringify([issuerUrl, unitId])

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > MOST && oldest !== undefined) map.delete(oldest)
}

/**
 * Makes the heads of ledgers that are not known to exist, each in its final place, outside of any other transaction: two
 * brokers that make the same ones never wait for each other. An empty ledger says nothing and harms nothing.
 */
export async function makeLedgers(
  session: Session,
  known: KnownLedgers,
  keys: readonly LedgerKey[],
  sha256: Sha256,
): Promise<void> {
  const missing = keys.filter((key) => !known.isMade(key))
  if (missing.length === 0) return
  const rows = missing.map((key) => {
    const { id, start } = known.nameOf(key, sha256)
    return { id, issuer: key.issuerUrl, unit_id: key.unitId, chain: start }
  })
  await session.runAlone({
    text: `INSERT INTO daypass.ledgers (id, issuer, unit_id, seq, chain, latest_at, forgotten_until, quotas)
      SELECT id, issuer, unit_id, 0, chain, 0, 0, ''
      FROM json_to_recordset($1::text::json) AS w(id uuid, issuer text, unit_id text, chain text) ORDER BY id
      ON CONFLICT DO NOTHING`,
    values: [rowsOf(rows)],
  })
  for (const key of missing) known.made(key)
}

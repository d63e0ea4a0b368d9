import type { Broker } from "../exchange/broker.ts"
import { OWN_LEDGER_UNIT } from "../operate/act.ts"
import type { Directory, LedgerHead, LedgerKey } from "../ports/directory.ts"
import type { FollowStore } from "../ports/followed.ts"
import type { PolicySnapshot } from "../ports/policy-source.ts"
import type { Sql } from "../ports/sql.ts"

/**
 * A ledger tells of itself at most every 5 seconds, so its last records may come without a word. It is looked at again after
 * this time, until it has nothing new.
 */
const LOOK_AGAIN_MS = 6000
/** After a look that failed. */
const LOOK_LATER_MS = 10_000
const LOOKS_PER_ALARM = 50
/** Records of one look. More are found by the follower. */
const LOOK_RECORDS = 250

type LookRow = { readonly issuer: string; readonly unit_id: string; readonly at: number }

export interface LookParts {
  readonly broker: Pick<Broker, "url" | "ledgers" | "clock" | "policySource">
  readonly places: FollowStore & Pick<Directory, "entry">
}

/** The looks at ledgers that did not tell of themselves, in the directory's own database. */
export class LedgerLooks {
  readonly #sql: Sql
  readonly #parts: LookParts

  constructor(sql: Sql, parts: LookParts) {
    this.#sql = sql
    this.#parts = parts
    sql.run("CREATE TABLE IF NOT EXISTS learnt (id INTEGER PRIMARY KEY) STRICT")
    sql.run(`CREATE TABLE IF NOT EXISTS looks (
      issuer TEXT NOT NULL, unit_id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (issuer, unit_id)
    ) STRICT, WITHOUT ROWID`)
  }

  /** A ledger has told of itself. */
  told(heads: readonly LedgerHead[]): void {
    for (const head of heads) this.#plan(head, this.#now() + LOOK_AGAIN_MS)
  }

  /** When the next look is due, in Unix milliseconds; null: none is. */
  nextAt(): number | null {
    const [next] = this.#sql.all<{ at: number | null }>("SELECT min(at) AS at FROM looks")
    return next?.at ?? null
  }

  /**
   * A lost directory knows no ledger, and one that is not used does not tell of itself. So the deployment's own ledger and units
   * that policies name by their ids are looked for once; all others tell of themselves with their next exchange.
   */
  async learn(): Promise<void> {
    if (this.#sql.all("SELECT id FROM learnt").length > 0) return
    const { url, policySource } = this.#parts.broker
    const own = { issuerUrl: url, unitId: OWN_LEDGER_UNIT }
    for (const unit of [own, ...unitsOf(await policySource.snapshot())]) this.#plan(unit, this.#now())
    this.#sql.run("INSERT INTO learnt (id) VALUES (1)")
  }

  /** Does what is due, for one alarm. */
  async lookAll(): Promise<void> {
    const due = this.#sql.all<LookRow>(
      "SELECT issuer, unit_id, at FROM looks WHERE at <= ? ORDER BY at LIMIT ?",
      this.#now(),
      LOOKS_PER_ALARM,
    )
    for (const { issuer, unit_id, at } of due) {
      const key = { issuerUrl: issuer, unitId: unit_id }
      await this.#look(key, at).catch(() => this.#plan(key, this.#now() + LOOK_LATER_MS))
    }
  }

  /**
   * Finds what a ledger did not tell of. It is looked at again while there was something. Reports come while this waits for the
   * ledger, so what was noted is read again afterwards, and a later look stays.
   */
  async #look(key: LedgerKey, due: number): Promise<void> {
    const { broker, places } = this.#parts
    const ledger = broker.ledgers.of(key.issuerUrl, key.unitId)
    const last = (await ledger.auditTrail((await places.entry(key))?.seq ?? 0, LOOK_RECORDS)).at(-1)
    const { openLeases } = await ledger.standing(this.#now())
    const entry = await places.entry(key)
    if (last && last.record.seq > (entry?.seq ?? 0)) {
      const { record, chain } = last
      await places.note([{ ...key, seq: record.seq, chain, latestAt: Date.parse(record.at), openLeases }])
      this.#plan(key, this.#now() + LOOK_AGAIN_MS)
      return
    }
    if (entry) await places.note([{ ...entry, openLeases }])
    this.#sql.run("DELETE FROM looks WHERE issuer = ? AND unit_id = ? AND at <= ?", key.issuerUrl, key.unitId, due)
  }

  #plan({ issuerUrl, unitId }: LedgerKey, at: number): void {
    this.#sql.run(
      "INSERT INTO looks (issuer, unit_id, at) VALUES (?, ?, ?) ON CONFLICT (issuer, unit_id) DO UPDATE SET at = excluded.at",
      issuerUrl,
      unitId,
      at,
    )
  }

  #now(): number {
    return this.#parts.broker.clock.now().getTime()
  }
}

function unitsOf({ policies = [], organisation, units }: PolicySnapshot): readonly LedgerKey[] {
  const named = policies.flatMap(({ issuer, target }) =>
    target.kind === "unit" ? [{ issuer, unitId: target.id }] : [],
  )
  return [...named, ...(units?.() ?? [])].flatMap(({ issuer, unitId }) => {
    const issuerUrl = organisation.issuers.get(issuer)?.url
    return issuerUrl === undefined ? [] : [{ issuerUrl, unitId }]
  })
}

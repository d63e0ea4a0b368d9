import type { Health } from "../../ports/health.ts"
import type { Log } from "../../ports/log.ts"
import { DOUBT_SHOWN_MS, refusedBefore } from "../ledger/doubt.ts"
import type { Head } from "../ledger/rows.ts"
import type { KnownLedgers } from "./known-ledgers.ts"
import type { Session } from "./session.ts"
import { inTransaction, type StoreState } from "./store-row.ts"
import { HistoryChanged } from "./transaction.ts"

/** The greatest difference between the clocks of brokers and issuers at which tokens are accepted, and two seconds more. */
const SKEW_SECONDS = 62

const REASONS = {
  promoted: "Another server was promoted, and commits did not wait for a standby, so the last ones may be missing.",
  moved: "The database was restored into another server.",
  shorter: "A ledger's chain is shorter than it was: the database was set back.",
}

/**
 * Notices that the database went back in time: a standby was promoted that did not have every commit, or a backup was
 * restored. Tokens whose use is missing could be used again, so all that were issued before are refused.
 *
 * Three marks show it. PostgreSQL's timeline changes with every promotion and every restore to a point in time. The system
 * identifier changes when a dump is loaded into another server. And this broker remembers the ends of the chains that it wrote.
 */
export class History {
  readonly #known: KnownLedgers
  readonly #log: Log
  readonly #now: () => number
  #systemId = ""
  #setBack: keyof typeof REASONS | null = null
  #generation: number | null = null
  #acceptFrom = 0

  constructor(known: KnownLedgers, log: Log, now: () => number) {
    this.#known = known
    this.#log = log
    this.#now = now
  }

  /** Looks which server a new connection leads to. */
  async connected(session: Session): Promise<void> {
    this.#systemId = await systemIdOf(session)
    const { rows } = await session.run<{ system_id: string }>({
      text: "SELECT system_id FROM daypass.store WHERE id = $1::integer",
      values: [1],
    })
    const before = rows[0]?.system_id ?? ""
    if (before !== "" && this.#systemId !== "" && before !== this.#systemId) this.#setBack = "moved"
  }

  /** @throws {HistoryChanged} when something must be noted before the transaction can go on */
  readonly observe = (state: StoreState, heads: ReadonlyMap<string, Head>): void => {
    // Another broker has noted it. What was known of the chains before does not count any more.
    if (this.#generation !== null && state.generation !== this.#generation) this.#known.forgetAll()
    this.#generation = state.generation
    this.#acceptFrom = state.acceptFrom
    for (const [id, head] of heads) if (this.#known.isSetBack(id, head)) this.#setBack = "shorter"
    const isSame = state.timeline === state.knownTimeline && state.hasStandby === state.hadStandby
    if (this.#setBack !== null || !isSame) throw new HistoryChanged()
  }

  /** Stores the new line of history. When commits may be missing, older tokens are refused from now on, by every broker. */
  async note(session: Session, deployment: string): Promise<void> {
    let doubt: keyof typeof REASONS | null = null
    const acceptFrom = Math.floor(this.#now() / 1000) + SKEW_SECONDS
    await inTransaction(session, deployment, async () => {
      // Locked, so that of several brokers that notice it, one notes it.
      const { rows } = await session.run<{ timeline: string; has_standby: boolean; now: string; stands_by: boolean }>({
        text: `SELECT timeline, has_standby, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS now,
          current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit') <> 'local' AS stands_by
          FROM daypass.store WHERE id = $1::integer FOR UPDATE`,
        values: [1],
      })
      const [row] = rows
      if (!row) return
      const isPromoted = row.timeline !== "" && row.timeline !== row.now && !row.has_standby
      doubt = this.#setBack ?? (isPromoted ? "promoted" : null)
      await session.run({
        text: `UPDATE daypass.store SET timeline = $1, has_standby = $2::text::boolean, system_id = $3,
          accept_from = greatest(accept_from, $4::bigint), generation = generation + $5::integer WHERE id = 1`,
        values: [
          row.now,
          String(row.stands_by),
          this.#systemId,
          doubt === null ? 0 : acceptFrom,
          doubt === null ? 0 : 1,
        ],
      })
    })
    this.#setBack = null
    if (doubt === null) return
    this.#log({ event: "ledger.rolled_back", detail: `${REASONS[doubt]} ${refusedBefore(acceptFrom)}` })
  }

  /** An operator must look: what was granted in the missing time is not in the ledger, and is not revoked. */
  health(): Health {
    const noted = (this.#acceptFrom - SKEW_SECONDS) * 1000
    if (this.#acceptFrom === 0 || this.#now() >= noted + DOUBT_SHOWN_MS) return { state: "ok" }
    const reason = `The database was promoted, restored or set back, and may miss what it had confirmed. ${refusedBefore(this.#acceptFrom)}`
    return { state: "degraded", reason, since: new Date(noted).toISOString() }
  }
}

/** The server's identifier; empty where the broker's user may not ask for it. */
async function systemIdOf(session: Session): Promise<string> {
  try {
    const { rows } = await session.run<{ id: string }>({
      text: "SELECT system_identifier::text AS id FROM pg_control_system()",
    })
    return rows[0]?.id ?? ""
  } catch (error) {
    if (!session.isOpen) throw error
    return ""
  }
}

import type { Sha256 } from "../../core/audit-chain.ts"
import { BrokerError } from "../../core/errors.ts"
import type { Health } from "../../ports/health.ts"
import type { Log } from "../../ports/log.ts"
import type { NodeStore } from "../../ports/node-store.ts"
import type { Overdue } from "../../ports/sweeping.ts"
import { OpenLedger } from "../ledger/open-ledger.ts"
import { RecordedLedger } from "../ledger/recorded-ledger.ts"
import type { LedgerKey, Touched } from "../ledger/rows.ts"
import type { LedgerStore } from "../ledger/store.ts"
import type { DatabaseAddress } from "./address.ts"
import { AsideTransactions } from "./aside.ts"
import { PostgresDocuments } from "./documents.ts"
import { dueLedgers, latestTime, makeDueThatAreAhead, overdueLeases } from "./due-ledgers.ts"
import { FaultFound, faultOf } from "./faults.ts"
import { GroupCommit } from "./group-commit.ts"
import { DatabaseGuard } from "./guard.ts"
import { History } from "./history.ts"
import { type OwnRows, PostgresKeyRing, PostgresMarks } from "./key-ring.ts"
import { KnownLedgers } from "./known-ledgers.ts"
import { PostgresNotices } from "./notices.ts"
import { checkTables, openDatabase, refusalOf } from "./opening.ts"
import { createPostgresOperateStore } from "./operate-store.ts"
import { RowReading, readTrail } from "./read-rows.ts"
import type { Session } from "./session.ts"
import { openPrimary, Sessions } from "./sessions.ts"

export interface PostgresStoreOptions {
  readonly deployment: string
  readonly sha256: Sha256
  readonly log?: Log
  /** Unix milliseconds. */
  readonly now?: () => number
}

/** How often a broker without requests looks whether its database works again, in milliseconds. */
const PROBE_EVERY_MS = 1000
/** How long health waits for a database that does not answer, in milliseconds. */
const LOOK_TIMEOUT_MS = 3000

/**
 * Opens a database that several brokers share. Each broker has two connections to it, or three, one more that
 * listens for notices, and one that follows the ledgers.
 *
 * @throws {BrokerError} `ledger_unavailable` when the database cannot be used, with what to change
 */
export async function openPostgresStore(address: DatabaseAddress, options: PostgresStoreOptions): Promise<NodeStore> {
  const { deployment } = options
  try {
    const session = await openPrimary(address)
    try {
      await openDatabase(session, deployment)
    } finally {
      await session.close()
    }
    const store = new PostgresStore(address, options)
    await store.health.look()
    return store
  } catch (cause) {
    throw refusalOf(address, cause)
  }
}

class PostgresStore implements NodeStore {
  readonly ledgers: NodeStore["ledgers"]
  readonly keyRing: PostgresKeyRing
  readonly marks: PostgresMarks
  readonly documents: PostgresDocuments
  readonly health: NodeStore["health"]
  readonly notices: PostgresNotices
  readonly operate: NodeStore["operate"]
  readonly #guard: DatabaseGuard
  readonly #history: History
  readonly #reader: Sessions
  readonly #writer: Sessions
  /** Waits for ledgers that other brokers have locked. Opened when that happens first. */
  readonly #waiter: Sessions
  readonly #commits: GroupCommit
  /** Of what follows the ledgers. Its connection is opened by the broker that follows. */
  readonly #aside: AsideTransactions
  readonly #stored: LedgerStore
  readonly #probe: NodeJS.Timeout
  /** Names this broker in the claims of its sweeps, and in notices. */
  readonly #id = crypto.randomUUID()
  #latest = 0
  #looking: Promise<Health> | null = null
  #closed: Promise<void> | null = null

  constructor(address: DatabaseAddress, { deployment, sha256, log = () => {}, now = Date.now }: PostgresStoreOptions) {
    const known = new KnownLedgers()
    this.#guard = new DatabaseGuard(log)
    this.#history = new History(known, log, now)
    this.#reader = new Sessions(address, async () => {})
    const connected = (session: Session) => this.#history.connected(session)
    this.#writer = new Sessions(address, connected)
    this.#waiter = new Sessions(address, connected)
    const parts = {
      guard: this.#guard,
      known,
      sha256,
      deployment,
      observe: this.#history.observe,
      noteHistory: (session: Session) => this.#history.note(session, deployment),
    }
    const contended = new GroupCommit({ ...parts, sessions: this.#waiter }, null)
    this.#commits = new GroupCommit({ ...parts, sessions: this.#writer }, contended)
    this.#stored = {
      write: (key, touched, way, work) => this.#commits.transact(key, touched, way, work),
      read: (key, touched, work) => this.#readLedger(key, touched, work, known, sha256),
      trail: (key, after, limit) =>
        this.#read((session) => readTrail(session, known.nameOf(key, sha256).id, after, limit)),
    }
    const own: OwnRows = { read: (work) => this.#read(work), write: (work) => this.#commits.alone(work) }
    this.keyRing = new PostgresKeyRing(own)
    this.marks = new PostgresMarks(own, "marks")
    this.documents = new PostgresDocuments(own)
    const notify = (channel: string, payload: string) =>
      this.#read((session) =>
        session.run({ text: "SELECT pg_catalog.pg_notify($1::text, $2::text)", values: [channel, payload] }),
      )
    this.notices = new PostgresNotices({ address, broker: this.#id, notify, log })
    this.ledgers = { of: (issuerUrl, unitId) => this.#ledgerOf({ issuerUrl, unitId }) }
    this.#aside = new AsideTransactions(new Sessions(address, async () => {}), (cause) => this.#guard.failed(cause))
    const aside: OwnRows = { read: own.read, write: (work) => this.#aside.run(work) }
    this.operate = createPostgresOperateStore(aside, this.ledgers, this.#id)
    this.health = {
      part: "ledger",
      look: () => {
        // Shared: a database that does not answer must not gather questions.
        this.#looking ??= this.#look().finally(() => {
          this.#looking = null
        })
        return this.#looking
      },
    }
    this.#probe = setInterval(() => {
      if (this.#guard.isTroubled) void this.health.look()
    }, PROBE_EVERY_MS)
    this.#probe.unref()
  }

  latestTime(): Promise<number> {
    return this.#read(latestTime)
  }

  async due(at: number, limit: number) {
    if (at < this.#latest) await this.#read((session) => makeDueThatAreAhead(session, at))
    this.#latest = at
    const keys = await this.#read((session) => dueLedgers(session, { broker: this.#id, now: at, limit }))
    return keys.map((key) => ({ ...key, ledger: this.#ledgerOf(key) }))
  }

  overdue(now: number): Promise<Overdue> {
    return this.#read((session) => overdueLeases(session, now))
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      clearInterval(this.#probe)
      await this.notices.close()
      await this.#aside.close()
      await this.#commits.close()
      await this.#writer.close()
      await this.#waiter.close()
      await this.#reader.close()
    })()
    return this.#closed
  }

  #ledgerOf(key: LedgerKey): RecordedLedger {
    return new RecordedLedger(this.#stored, key)
  }

  /** One transaction that looks at the tables: it finds what is wrong, and that it is over. */
  async #look(): Promise<Health> {
    const looked = this.#commits.alone(checkTables).catch(() => {})
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(resolve, LOOK_TIMEOUT_MS, "late")
    })
    if ((await Promise.race([looked, late])) === "late") this.#guard.failed(new FaultFound("busy"))
    clearTimeout(timer)
    const health = this.#guard.health()
    return health.state === "ok" ? this.#history.health() : health
  }

  /** Reads that are one statement each, so that they need no transaction. */
  async #read<Value>(work: (session: Session) => Promise<Value>): Promise<Value> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(await this.#reader.get())
      } catch (cause) {
        if (cause instanceof BrokerError) throw cause
        // A connection that was closed while nothing ran.
        if (attempt === 1 && faultOf(cause) === "unreachable") continue
        throw this.#guard.failed(cause)
      }
    }
  }

  #readLedger<Value>(
    key: LedgerKey,
    touched: Touched,
    work: (ledger: OpenLedger | null) => Value,
    known: KnownLedgers,
    sha256: Sha256,
  ): Promise<Value> {
    const { id } = known.nameOf(key, sha256)
    return this.#read(async (session) => {
      const held = await new RowReading(session, [{ id, touched: [touched] }], "none").rows(0)
      const rows = held.get(id)
      return work(rows ? new OpenLedger(rows, sha256) : null)
    })
  }
}

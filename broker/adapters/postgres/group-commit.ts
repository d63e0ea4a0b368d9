import type { Sha256 } from "../../core/audit-chain.ts"
import { BrokerError } from "../../core/errors.ts"
import type { Way } from "../../ports/sql.ts"
import { CLOCK_TOLERANCE_MS, OpenLedger } from "../ledger/open-ledger.ts"
import type { Head, LedgerKey, Touched } from "../ledger/rows.ts"
import { FaultFound, faultOf } from "./faults.ts"
import type { DatabaseGuard } from "./guard.ts"
import type { HeldRows } from "./held-rows.ts"
import { type KnownLedgers, makeLedgers } from "./known-ledgers.ts"
import { healFuture, RowReading, type Wanted } from "./read-rows.ts"
import type { Session } from "./session.ts"
import type { Sessions } from "./sessions.ts"
import { commit, inTransaction, judgeState, readState, type StoreState } from "./store-row.ts"
import { changesOf } from "./write-rows.ts"

interface Call {
  readonly key: LedgerKey
  readonly touched: Touched
  readonly way: Way
  readonly work: (ledger: OpenLedger) => unknown
  /** Of `performance.now()`: until when the call waits for a ledger that another broker has locked. */
  readonly waitsUntil: number
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
}

/** The most calls that share one commit. It limits how long the first call waits for the others. */
const LARGEST_BATCH = 256
/** How long a call waits for a ledger that other brokers have locked, and the longest pause before it tries again. */
const LOCKED_AT_MOST_MS = 5000
const LOCKED_RETRY_MS = 4

/** The database was promoted or restored, and nobody has noted it yet. */
export class HistoryChanged extends Error {}

/** The statements of a commit were sent, and no answer came: it is in the database, or it is not. */
class UnknownCommit extends Error {}

export interface GroupCommitParts {
  readonly sessions: Sessions
  readonly guard: DatabaseGuard
  readonly known: KnownLedgers
  readonly sha256: Sha256
  readonly deployment: string
  /** Notes what a transaction began with. Throws `HistoryChanged` when that must be stored first. */
  readonly observe: (state: StoreState, heads: ReadonlyMap<string, Head>) => void
  /** Stores it. */
  readonly noteHistory: () => Promise<void>
}

/**
 * Lets simultaneous calls of one broker share one transaction, and so its round trips and its flush of the disk.
 *
 * Two flights: the first one locks the heads of the ledgers and reads all rows that the calls may touch; then their work runs
 * in memory, without waiting; the second one writes and commits. A call is answered only after the commit has returned. A
 * call that fails takes back its own changes and no others.
 *
 * When the answer to a commit is lost, nobody knows whether it is in the database. All its calls fail then: nothing is handed
 * out, and what was minted is revoked.
 */
export class GroupCommit {
  readonly #parts: GroupCommitParts
  #waiting: Call[] = []
  #alone: (() => Promise<void>)[] = []
  #running: Promise<void> | null = null
  #isClosed = false

  constructor(parts: GroupCommitParts) {
    this.#parts = parts
  }

  transact<Value>(key: LedgerKey, touched: Touched, way: Way, work: (ledger: OpenLedger) => Value): Promise<Value> {
    if (this.#isClosed) return Promise.reject(closed())
    return new Promise((resolve, reject) => {
      const waitsUntil = performance.now() + LOCKED_AT_MOST_MS
      this.#waiting.push({ key, touched, way, work, waitsUntil, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /**
   * Runs `work` in a transaction of its own, between those of the ledgers.
   *
   * @throws {BrokerError} `ledger_unavailable`
   */
  alone<Value>(work: (session: Session) => Promise<Value>): Promise<Value> {
    if (this.#isClosed) return Promise.reject(closed())
    return new Promise((resolve, reject) => {
      this.#alone.push(() => this.#runAlone(work).then(resolve, reject))
      this.#running ??= this.#run()
    })
  }

  /** Accepts no more calls; resolves when all accepted calls have been answered. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #run(): Promise<void> {
    // Requests that arrived in this turn of the event loop commit together.
    await new Promise((resume) => setImmediate(resume))
    while (this.#waiting.length > 0 || this.#alone.length > 0) {
      for (const run of this.#alone.splice(0)) await run()
      const calls = this.#waiting.splice(0, LARGEST_BATCH)
      const locked = calls.length > 0 ? await this.#answer(calls) : []
      // Chosen at random, so that two brokers do not meet again and again. New calls do not wait for it.
      const isPaused = locked.length > 0 && this.#waiting.length === 0
      this.#waiting.unshift(...locked)
      if (isPaused) await new Promise((resume) => setTimeout(resume, 1 + Math.random() * LOCKED_RETRY_MS))
    }
    this.#running = null
  }

  async #runAlone<Value>(work: (session: Session) => Promise<Value>): Promise<Value> {
    const { sessions, guard, deployment, observe, noteHistory } = this.#parts
    for (let attempt = 1; ; attempt++) {
      try {
        const session = await sessions.get()
        const [value, undurable] = await inTransaction(session, deployment, async (state) => {
          observe(state, new Map())
          return [await work(session), state.undurable] as const
        })
        guard.committed(undurable)
        return value
      } catch (cause) {
        if (attempt === 1 && cause instanceof HistoryChanged) await noteHistory().catch(() => {})
        else if (attempt > 1 || faultOf(cause) !== "unreachable") throw guard.failed(cause)
      }
    }
  }

  /** Answers all calls but those whose ledger is locked, which it returns. Never throws. */
  async #answer(calls: readonly Call[], isSecond = false): Promise<readonly Call[]> {
    try {
      const session = await this.#parts.sessions.get()
      return await this.#commit(session, calls)
    } catch (cause) {
      if (!isSecond && cause instanceof HistoryChanged) {
        try {
          await this.#parts.noteHistory()
        } catch (reason) {
          return this.#refuse(calls, reason)
        }
        return this.#answer(calls, true)
      }
      // A connection that was closed while nothing ran: nothing of this transaction can be in the database.
      const isRetried = !isSecond && !(cause instanceof UnknownCommit) && faultOf(cause) === "unreachable"
      if (isRetried) return this.#answer(calls, true)
      return this.#refuse(calls, cause)
    }
  }

  #refuse(calls: readonly Call[], cause: unknown): readonly Call[] {
    const reason = this.#parts.guard.failed(cause instanceof UnknownCommit ? cause.cause : cause)
    for (const { reject } of calls) reject(reason)
    return []
  }

  async #commit(session: Session, calls: readonly Call[]): Promise<readonly Call[]> {
    const { known, sha256, deployment, guard } = this.#parts
    const named = calls.map((call) => ({ call, id: known.nameOf(call.key, sha256).id }))
    await makeLedgers(
      session,
      known,
      calls.map(({ key }) => key),
      sha256,
    )
    const wanted = wantedOf(named)
    const begun = session.run({ text: "BEGIN" })
    try {
      const reading = session.run(readState)
      const rows = new RowReading(session, wanted, true)
      const state = judgeState((await reading).rows, deployment)
      await begun
      const heads = await rows.heads()
      this.#parts.observe(state, heads)
      const held = await this.#held(session, rows, heads, named, wanted, state)
      const locked = named.filter(({ id }) => !held.has(id))
      for (const { call } of locked) known.forget(call.key)
      const answers = this.#work(named, held, state)
      await this.#write(session, [...held.values()])
      if ([...held.values()].some(({ isSaved }) => isSaved)) guard.committed(state.undurable)
      for (const answer of answers) answer()
      return this.#stillWaiting(locked.map(({ call }) => call))
    } catch (error) {
      if (session.isOpen) await session.run({ text: "ROLLBACK" }).catch(() => {})
      throw error
    }
  }

  /** The rows; read again when a clock that was ahead left revocations that wait for its time. */
  async #held(
    session: Session,
    rows: RowReading,
    heads: ReadonlyMap<string, Head>,
    named: readonly Named[],
    wanted: readonly Wanted[],
    state: StoreState,
  ): Promise<ReadonlyMap<string, HeldRows>> {
    const held = await rows.rows(state.acceptFrom)
    const ahead = named.flatMap(({ id, call: { touched } }) => {
      const now = touched.due?.now
      const head = heads.get(id)
      return now !== undefined && head !== undefined && head.latestAt > now + CLOCK_TOLERANCE_MS ? [{ id, now }] : []
    })
    if (ahead.length === 0) return held
    await session.run(healFuture(ahead))
    return new RowReading(session, wanted, true).rows(state.acceptFrom)
  }

  /** Runs the work of all calls; their answers wait for the commit. */
  #work(
    named: readonly Named[],
    held: ReadonlyMap<string, HeldRows>,
    { undurable }: StoreState,
  ): readonly (() => void)[] {
    const { guard, sha256 } = this.#parts
    const refusal = undurable && named.some(({ call }) => call.way === "out") ? guard.failed(undurable) : null
    return named.flatMap(({ id, call }) => {
      const rows = held.get(id)
      if (!rows) return []
      if (refusal && call.way === "out") return [() => call.reject(refusal)]
      try {
        const value = rows.journal.attempt(() => {
          const ledger = new OpenLedger(rows, sha256)
          const done = call.work(ledger)
          ledger.save()
          return done
        })
        return [() => call.resolve(value as never)]
      } catch (error) {
        const reason = error instanceof BrokerError ? error : guard.failed(error)
        return [() => call.reject(reason)]
      }
    })
  }

  async #write(session: Session, held: readonly HeldRows[]): Promise<void> {
    const statements = changesOf(held)
    if (statements.length === 0) {
      await session.run({ text: "ROLLBACK" })
      return
    }
    const written = statements.map((statement) => session.run(statement))
    const committed = commit(session)
    committed.catch(() => {})
    try {
      await Promise.all(written)
      await committed
    } catch (error) {
      // The server refused a statement, and so the commit: then nothing is in the database. All else is not known.
      const isRefused = await committed.then(
        () => false,
        () => session.isOpen,
      )
      throw isRefused ? error : new UnknownCommit("the commit has no answer", { cause: error })
    }
    for (const { id, head } of held) this.#parts.known.sawHead(id, head)
  }

  #stillWaiting(locked: readonly Call[]): readonly Call[] {
    const now = performance.now()
    const late = locked.filter(({ waitsUntil }) => waitsUntil <= now)
    if (late.length > 0) this.#refuse(late, new FaultFound("busy"))
    return locked.filter(({ waitsUntil }) => waitsUntil > now)
  }
}

const closed = () => new BrokerError("ledger_unavailable", "the ledger was closed")

interface Named {
  readonly call: Call
  readonly id: string
}

function wantedOf(named: readonly Named[]): readonly Wanted[] {
  const byId = new Map<string, Touched[]>()
  for (const { id, call } of named) {
    const known = byId.get(id)
    if (known) known.push(call.touched)
    else byId.set(id, [call.touched])
  }
  return [...byId].map(([id, touched]) => ({ id, touched }))
}

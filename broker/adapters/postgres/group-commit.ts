import { BrokerError } from "../../core/errors.ts"
import type { Way } from "../../ports/sql.ts"
import type { OpenLedger } from "../ledger/open-ledger.ts"
import type { LedgerKey, Touched } from "../ledger/rows.ts"
import { FaultFound, faultOf } from "./faults.ts"
import type { Session } from "./session.ts"
import type { Sessions } from "./sessions.ts"
import { inTransaction } from "./store-row.ts"
import { type Call, HistoryChanged, Transaction, type TransactionParts, UnknownCommit } from "./transaction.ts"

/** The most calls that share one commit. It limits how long the first call waits for the others. */
const LARGEST_BATCH = 256
/** How long a call waits for a ledger that other brokers have locked, and the longest pause before it tries again. */
const LOCKED_AT_MOST_MS = 5000
const LOCKED_RETRY_MS = 4

export interface GroupCommitParts extends TransactionParts {
  readonly sessions: Sessions
  /** Stores what `observe` found. */
  readonly noteHistory: () => Promise<void>
}

/**
 * Lets simultaneous calls of one broker share one transaction, and so its round trips and its flush of the disk.
 *
 * A call is answered only after the commit has returned.
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
      const locked = await new Transaction(this.#parts, session).run(calls)
      return this.#stillWaiting(locked)
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
      // A value of one call that the database cannot store must not fail the others.
      const isOnesFault = calls.length > 1 && !(cause instanceof UnknownCommit) && faultOf(cause) === null
      return isOnesFault ? this.#apart(calls) : this.#refuse(calls, cause)
    }
  }

  async #apart(calls: readonly Call[]): Promise<readonly Call[]> {
    const locked: Call[] = []
    for (const call of calls) locked.push(...(await this.#answer([call])))
    return locked
  }

  #refuse(calls: readonly Call[], cause: unknown): readonly Call[] {
    const reason = this.#parts.guard.failed(cause instanceof UnknownCommit ? cause.cause : cause)
    for (const { reject } of calls) reject(reason)
    return []
  }

  #stillWaiting(locked: readonly Call[]): readonly Call[] {
    const now = performance.now()
    const late = locked.filter(({ waitsUntil }) => waitsUntil <= now)
    if (late.length > 0) this.#refuse(late, new FaultFound("busy"))
    return locked.filter(({ waitsUntil }) => waitsUntil > now)
  }
}

const closed = () => new BrokerError("ledger_unavailable", "the ledger was closed")

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

/** For how long calls on a ledger that another broker had locked go to `contended` at once: it is busy with both. */
const CONTENDED_FOR_MS = 1000
const MOST_CONTENDED = 1000
const CONTENDED_PAUSE_MS = 4

export interface GroupCommitParts extends TransactionParts {
  readonly sessions: Sessions
  /** Stores what `observe` found. */
  readonly noteHistory: (session: Session) => Promise<void>
}

/**
 * Lets simultaneous calls of one broker share one transaction, and so its round trips and its flush of the disk.
 *
 * A call is answered only after the commit has returned. Ledgers that another broker has locked are left out: their calls go
 * to `contended`, which has a connection of its own and waits for one ledger at a time. So a busy ledger holds up no other.
 *
 * When the answer to a commit is lost, nobody knows whether it is in the database. All its calls fail then: nothing is handed
 * out, and what was minted is revoked.
 */
export class GroupCommit {
  readonly #parts: GroupCommitParts
  readonly #contended: GroupCommit | null
  /** How many calls on a ledger are not answered yet. */
  readonly #pending = new Map<string, number>()
  /** By ledger, of `performance.now()`. */
  readonly #contendedUntil = new Map<string, number>()
  #waiting: Call[] = []
  #alone: (() => Promise<void>)[] = []
  #running: Promise<void> | null = null
  #isClosed = false

  /** Without `contended`, it waits for locked ledgers itself. */
  constructor(parts: GroupCommitParts, contended: GroupCommit | null) {
    this.#parts = parts
    this.#contended = contended
  }

  transact<Value>(key: LedgerKey, touched: Touched, way: Way, work: (ledger: OpenLedger) => Value): Promise<Value> {
    if (this.#isClosed) return Promise.reject(closed())
    return new Promise((resolve, reject) => {
      const call = { key, touched, way, work, resolve, reject }
      if (this.#isContended(key)) this.#contended?.take(call)
      else this.take(call)
    })
  }

  take(call: Call): void {
    const name = nameOf(call.key)
    this.#pending.set(name, (this.#pending.get(name) ?? 0) + 1)
    this.#waiting.push(call)
    this.#running ??= this.#run()
  }

  isWaitingFor(key: LedgerKey): boolean {
    return this.#pending.has(nameOf(key))
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
    await this.#contended?.close()
  }

  async #run(): Promise<void> {
    // Requests that arrived in this turn of the event loop commit together.
    await new Promise((resume) => setImmediate(resume))
    while (this.#waiting.length > 0 || this.#alone.length > 0) {
      for (const run of this.#alone.splice(0)) await run()
      // The other broker has the ledger meanwhile, and calls gather: each transaction then carries more of them.
      if (!this.#contended) await new Promise((resume) => setTimeout(resume, CONTENDED_PAUSE_MS))
      const calls = this.#next()
      if (calls.length === 0) continue
      const locked = await this.#answer(calls)
      for (const { key } of calls) this.#settled(key)
      for (const call of locked) this.#handOver(call)
    }
    this.#running = null
  }

  /** Calls that wait for a ledger already are joined by those that come later: they share its next commit. */
  #isContended(key: LedgerKey): boolean {
    if (!this.#contended) return false
    return this.#contended.isWaitingFor(key) || (this.#contendedUntil.get(nameOf(key)) ?? 0) > performance.now()
  }

  #handOver(call: Call): void {
    if (this.#contendedUntil.size >= MOST_CONTENDED) this.#contendedUntil.clear()
    this.#contendedUntil.set(nameOf(call.key), performance.now() + CONTENDED_FOR_MS)
    this.#contended?.take(call)
  }

  #next(): readonly Call[] {
    if (this.#contended) return this.#waiting.splice(0, LARGEST_BATCH)
    const first = this.#waiting[0]
    if (!first) return []
    const name = nameOf(first.key)
    const calls = this.#waiting.filter(({ key }) => nameOf(key) === name).slice(0, LARGEST_BATCH)
    const taken = new Set(calls)
    this.#waiting = this.#waiting.filter((call) => !taken.has(call))
    return calls
  }

  #settled(key: LedgerKey): void {
    const name = nameOf(key)
    const left = (this.#pending.get(name) ?? 1) - 1
    if (left > 0) this.#pending.set(name, left)
    else this.#pending.delete(name)
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
        if (attempt === 1 && cause instanceof HistoryChanged)
          await sessions
            .get()
            .then(noteHistory)
            .catch(() => {})
        else if (attempt > 1 || faultOf(cause) !== "unreachable") throw guard.failed(cause)
      }
    }
  }

  /** Answers all calls but those whose ledger is locked, which it returns. Never throws. */
  async #answer(calls: readonly Call[], isSecond = false): Promise<readonly Call[]> {
    try {
      const session = await this.#parts.sessions.get()
      const locked = await new Transaction(this.#parts, session, this.#contended ? "skip" : "wait").run(calls)
      // Not there any more: the database was set back to before the ledger was made. It is made again.
      if (this.#contended || locked.length === 0) return locked
      return isSecond ? this.#refuse(locked, new FaultFound("missing")) : this.#answer(locked, true)
    } catch (cause) {
      if (!isSecond && cause instanceof HistoryChanged) {
        try {
          await this.#parts.noteHistory(await this.#parts.sessions.get())
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
}

const closed = () => new BrokerError("ledger_unavailable", "the ledger was closed")

const nameOf = ({ issuerUrl, unitId }: LedgerKey) => JSON.stringify([issuerUrl, unitId])

import { BrokerError } from "../../core/errors.ts"
import type { Transact } from "../../ports/sql.ts"
import type { NodeSql } from "./sqlite.ts"

interface Call {
  readonly work: () => unknown
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: unknown }

/** The most calls that share one commit. It limits how long the first call waits for the others. */
const LARGEST_BATCH = 256

/**
 * The pause between one commit and the next, in milliseconds. A single call does not wait; under load, calls gather during
 * the pause. Measured with sixteen parallel exchanges: at 1 ms, each exchange cost the main thread 4 to 14 % less processor
 * time than without a pause. 2 ms was not measurably different from 1 ms. 4 ms gave about 7 % fewer exchanges per second.
 */
const PAUSE_MS = 1

/**
 * Lets simultaneous calls share one transaction. So they share one flush of the disk, which is the main cost of a commit.
 *
 * A call that fails undoes only its own writes: when any call of a batch fails, the batch is rolled back and run again with
 * each call in its own savepoint. Calls rarely fail, and savepoints in every batch were a quarter of an exchange's
 * statements. Work that is passed in may therefore run twice, and must change nothing except the database. A call is
 * answered only after the commit with its writes has returned, so all calls of a batch become durable together.
 */
export class GroupCommit {
  readonly #sql: NodeSql
  #waiting: Call[] = []
  #scheduled = false
  #lastCommitAt = Number.NEGATIVE_INFINITY
  #closed: Promise<void> | null = null
  #drained: (() => void) | null = null

  constructor(sql: NodeSql) {
    this.#sql = sql
  }

  readonly transact: Transact = (work) => {
    if (this.#closed) return Promise.reject(new BrokerError("ledger_unavailable", "the ledger was closed"))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject })
      this.#schedule()
    })
  }

  /** Accepts no more calls; resolves when all accepted calls have been answered. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#waiting.length === 0) resolve()
      else this.#drained = resolve
    })
    return this.#closed
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    const pause = this.#lastCommitAt + PAUSE_MS - performance.now()
    if (pause > 0) setTimeout(this.#flush, pause)
    // Runs after this turn of the event loop, so that requests which arrived together commit together.
    else setImmediate(this.#flush)
  }

  readonly #flush = (): void => {
    this.#scheduled = false
    this.#commit(this.#waiting.splice(0, LARGEST_BATCH))
    this.#lastCommitAt = performance.now()
    if (this.#waiting.length > 0) this.#schedule()
    else this.#drained?.()
  }

  #commit(calls: readonly Call[]): void {
    const outcomes = this.#together(calls) ?? this.#apart(calls)
    for (const [index, call] of calls.entries()) {
      const outcome = outcomes[index]
      if (outcome?.ok) call.resolve(outcome.value as never)
      else call.reject(outcome?.reason)
    }
  }

  /** Runs all calls in one transaction; null, with nothing changed, when any call failed. */
  #together(calls: readonly Call[]): readonly Outcome[] | null {
    try {
      return this.#sql.transaction(() => calls.map(({ work }) => ({ ok: true, value: work() })))
    } catch {
      return null
    }
  }

  /** Runs all calls in one transaction, each in its own savepoint. */
  #apart(calls: readonly Call[]): readonly Outcome[] {
    try {
      return this.#sql.transaction(() => calls.map((call) => this.#attempt(call)))
    } catch (cause) {
      const reason = unavailable(cause)
      return calls.map(() => ({ ok: false, reason }))
    }
  }

  #attempt(call: Call): Outcome {
    this.#sql.run("SAVEPOINT one")
    try {
      const value = call.work()
      this.#sql.run("RELEASE one")
      return { ok: true, value }
    } catch (error) {
      // These throw when the failure ended the whole transaction; then all calls of the batch have failed.
      this.#sql.run("ROLLBACK TO one")
      this.#sql.run("RELEASE one")
      return { ok: false, reason: error instanceof BrokerError ? error : unavailable(error) }
    }
  }
}

function unavailable(cause: unknown): BrokerError {
  return new BrokerError("ledger_unavailable", "the ledger's file cannot be read or written", {
    cause,
    retryAfterSeconds: 5,
  })
}

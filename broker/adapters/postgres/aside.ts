import { BrokerError } from "../../core/errors.ts"
import { FaultFound, faultOf } from "./faults.ts"
import type { Session } from "./session.ts"
import type { Sessions } from "./sessions.ts"

/**
 * Transactions that no exchange shares and none waits for, on a connection of their own, one at a time: filling the index for a
 * long history must not stand between two exchanges.
 */
export class AsideTransactions {
  readonly #sessions: Sessions
  readonly #failed: (cause: unknown) => BrokerError
  #last: Promise<unknown> = Promise.resolve()

  constructor(sessions: Sessions, failed: (cause: unknown) => BrokerError) {
    this.#sessions = sessions
    this.#failed = failed
  }

  /** @throws {BrokerError} `ledger_unavailable` when the database cannot be used; nothing was changed then */
  run<Value>(work: (session: Session) => Promise<Value>): Promise<Value> {
    const running = this.#last.then(() => this.#transact(work))
    this.#last = running.catch(() => {})
    return running
  }

  async close(): Promise<void> {
    await this.#last
    await this.#sessions.close()
  }

  async #transact<Value>(work: (session: Session) => Promise<Value>): Promise<Value> {
    try {
      const session = await this.#sessions.get()
      await session.begin()
      try {
        const value = await work(session)
        const { command } = await session.run({ text: "COMMIT" })
        if (command !== "COMMIT") throw new FaultFound("busy")
        return value
      } catch (error) {
        await session.run({ text: "ROLLBACK" }).catch(() => {})
        throw error
      }
    } catch (cause) {
      // Our own error, or a fault in our code, which is not one of the database.
      if (cause instanceof BrokerError || faultOf(cause) === null) throw cause
      throw this.#failed(cause)
    }
  }
}

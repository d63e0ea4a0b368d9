import type { DatabaseAddress } from "./address.ts"
import { FaultFound, faultOf } from "./faults.ts"
import { ConnectionLost, Session } from "./session.ts"

/** After a failure to connect, for how long the next calls fail at once: none must wait for the same refusal. */
const PAUSE_MS = 300

/** Keeps one connection to the primary open, and opens the next one when it was lost. */
export class Sessions {
  readonly #address: DatabaseAddress
  /** Runs on each new connection, before anything else does. */
  readonly #prepare: (session: Session) => Promise<void>
  #current: Session | null = null
  #opening: Promise<Session> | null = null
  #isClosed = false
  #failure: { readonly reason: unknown; readonly until: number } | null = null

  constructor(address: DatabaseAddress, prepare: (session: Session) => Promise<void>) {
    this.#address = address
    this.#prepare = prepare
  }

  /** @throws the driver's or the server's error; `FaultFound` for a server that is read-only */
  async get(): Promise<Session> {
    if (this.#current?.isOpen) return this.#current
    if (this.#isClosed) throw new ConnectionLost("the store was closed")
    if (this.#failure && performance.now() < this.#failure.until) throw this.#failure.reason
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null
    })
    return this.#opening
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const opening = await this.#opening?.catch(() => null)
    await opening?.close()
    await this.#current?.close()
  }

  async #open(): Promise<Session> {
    await this.#current?.close()
    this.#current = null
    try {
      const session = await openPrimary(this.#address)
      try {
        await this.#prepare(session)
      } catch (error) {
        await session.close()
        throw error
      }
      this.#current = session
      this.#failure = null
      return session
    } catch (reason) {
      this.#failure = { reason, until: performance.now() + PAUSE_MS }
      throw reason
    }
  }
}

/**
 * Connects to the first host that is the primary. Another one answers during a failover, and a standby has old data.
 *
 * @throws what the most telling host said: a refusal says more than a silence
 */
export async function openPrimary(address: DatabaseAddress): Promise<Session> {
  const reasons: unknown[] = []
  for (const host of address.hosts) {
    try {
      const session = await Session.open(address, host)
      const { rows } = await session.run({ text: "SELECT pg_is_in_recovery() AS standby" })
      if (rows[0]?.["standby"] === false) return session
      await session.close()
      reasons.push(new FaultFound("read-only"))
    } catch (reason) {
      reasons.push(reason)
    }
  }
  throw reasons.find((reason) => faultOf(reason) !== "unreachable") ?? reasons[0]
}

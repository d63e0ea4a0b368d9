import type { Answer } from "./rpc.ts"

/**
 * What the deployment remembers of its parts, in the key ring's object. Each part can be lost, replaced or restored alone,
 * and could not notice it by itself.
 */
export interface Guards {
  /**
   * Raises the floor of published policies to `publishedAt` (ISO 8601, UTC, milliseconds). Returns false, and changes
   * nothing, when the floor is higher.
   * @throws {BrokerError} `ledger_unavailable`
   */
  raiseFloor(publishedAt: string): Promise<boolean>
  /** @throws {BrokerError} `ledger_unavailable` */
  meetLedger(name: string): Promise<Meeting>
}

export interface Meeting {
  /** Whether a ledger of this name existed before. If it is empty now, another object took its place. */
  readonly isKnown: boolean
  /** Unix milliseconds: when the key ring's object was first asked. Of what was before, it knows nothing. */
  readonly since: number
}

/** The methods of the key ring's object for its guards. */
export interface GuardMethods {
  raiseFloor(publishedAt: string): Promise<Answer<boolean>>
  meetLedger(name: string): Promise<Answer<Meeting>>
}

const FLOOR = "policies published at"
const SINCE = "guarded since"
const LEDGER_PREFIX = "ledger "

/** The guards over marks. Call each method inside a transaction. */
export class StoredGuards {
  readonly #read: (name: string) => string | null
  readonly #write: (name: string, value: string) => void

  constructor(read: (name: string) => string | null, write: (name: string, value: string) => void) {
    this.#read = read
    this.#write = write
  }

  raiseFloor(publishedAt: string): boolean {
    const floor = this.#read(FLOOR)
    if (floor !== null && publishedAt < floor) return false
    if (floor !== publishedAt) this.#write(FLOOR, publishedAt)
    return true
  }

  /** Remembers the ledger before it exists. So a crash in between is taken for a loss, and never a loss for a first use. */
  meetLedger(name: string, now: number): Meeting {
    const since = this.#read(SINCE) ?? String(now)
    this.#write(SINCE, since)
    const mark = LEDGER_PREFIX + name
    const isKnown = this.#read(mark) !== null
    if (!isKnown) this.#write(mark, String(now))
    return { isKnown, since: Number(since) }
  }
}

import type { Answer } from "./rpc.ts"

/**
 * What the deployment remembers of its parts, in the key ring's object. Each part can be lost, replaced or restored alone,
 * and could not notice it by itself.
 */
export interface DeploymentMarks {
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
  /** Unix milliseconds: when the key ring's object was first used. Of what was before, it knows nothing. */
  readonly since: number
}

/** The methods of the key ring's object for its marks. */
export interface MarkMethods {
  raiseFloor(publishedAt: string): Promise<Answer<boolean>>
  meetLedger(name: string): Promise<Answer<Meeting>>
}

const FLOOR = "policies published at"
const SINCE = "since"
const LEDGER_PREFIX = "ledger "

/** The part of an object's key-value storage that is used here. */
interface KeyValues {
  get<Value>(key: string): Value | undefined
  put<Value>(key: string, value: Value): void
}

/** The marks in the object's own key-value storage, which has no schema: any version of the code reads them. */
export class StoredMarks {
  readonly #storage: KeyValues

  constructor(storage: KeyValues) {
    this.#storage = storage
  }

  raiseFloor(publishedAt: string): boolean {
    const floor = this.#storage.get<string>(FLOOR)
    if (floor !== undefined && publishedAt < floor) return false
    if (floor !== publishedAt) this.#storage.put(FLOOR, publishedAt)
    return true
  }

  /** Remembers the ledger before it exists. So a crash in between is taken for a loss, and never a loss for a first use. */
  meetLedger(name: string, now: number): Meeting {
    const since = this.#storage.get<number>(SINCE) ?? now
    this.#storage.put(SINCE, since)
    const key = LEDGER_PREFIX + name
    const isKnown = this.#storage.get(key) !== undefined
    if (!isKnown) this.#storage.put(key, now)
    return { isKnown, since }
  }
}

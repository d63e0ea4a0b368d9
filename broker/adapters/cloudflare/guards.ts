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
  /**
   * Introduces a ledger by its name and the random text that its storage was born with. Safe to repeat.
   * @throws {BrokerError} `ledger_unavailable`
   */
  meetLedger(name: string, birth: string): Promise<Meeting>
  /**
   * Fixes the jurisdiction of the deployment's objects: the first one that is wanted. Returns the fixed one. Safe to repeat.
   * Ask it of the object without a jurisdiction: it is the only one that every setting of the Worker leads to.
   * @param wanted as Cloudflare names it; empty for none
   * @throws {BrokerError} `ledger_unavailable`
   */
  fixJurisdiction(wanted: string): Promise<string>
}

export interface Meeting {
  /** Whether there was a ledger of this name with another birth. Its used tokens and leases are then elsewhere, or lost. */
  readonly isReplacement: boolean
  /** Unix milliseconds: when the key ring's object was first asked. Of what was before, it knows nothing. */
  readonly since: number
}

/** The methods of the key ring's object for its guards. */
export interface GuardMethods {
  raiseFloor(publishedAt: string): Promise<Answer<boolean>>
  meetLedger(name: string, birth: string): Promise<Answer<Meeting>>
  fixJurisdiction(wanted: string): Promise<Answer<string>>
}

const FLOOR = "policies published at"
/** The only mark of an object that nothing but its guards were asked. */
export const SINCE = "guarded since"
const JURISDICTION = "jurisdiction"
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

  /** Notes when the guards began. Call it before everything else. */
  begin(now: number): void {
    if (this.#read(SINCE) === null) this.#write(SINCE, String(now))
  }

  /** The first birth stays: an object that met the guards as a replacement does not ask again. */
  meetLedger(name: string, birth: string): Meeting {
    const mark = LEDGER_PREFIX + name
    const known = this.#read(mark)
    if (known === null) this.#write(mark, birth)
    return { isReplacement: known !== null && known !== birth, since: Number(this.#read(SINCE) ?? 0) }
  }

  /** @param isInUse whether the deployment ran before jurisdictions were fixed: its objects have none */
  fixJurisdiction(wanted: string, isInUse: boolean): string {
    const known = this.#read(JURISDICTION)
    if (known !== null) return known
    const fixed = isInUse ? "" : wanted
    this.#write(JURISDICTION, fixed)
    return fixed
  }
}

import { type ActionError, toFailure } from "../failure.ts"

/** What clients get of a credential, and when it ends in Unix milliseconds. */
export interface Held {
  readonly document: Readonly<Record<string, string>>
  readonly endsAt: number
}

/** When a credential is renewed, and how long a client waits for that. */
export interface Renewal {
  /** The credential is renewed when it is asked for and less than this is left, for one that lived this long in all. */
  below(lifeMs: number): number
  /** A client waits this long for a new credential while the old one can still be used. */
  readonly answerWithinMs: number
}

/** A credential that ends sooner is not given out while a new one is on its way. */
const USABLE_MS = 30_000
/** After a failure, the broker is not asked again for this long. The time doubles with each further failure. */
const REST_AFTER_FAILURE_MS = 10_000
const LONGEST_REST_MS = 80_000

/** The credential of one grant, which is renewed through the broker: when a client asks for it and it ends soon, or at once. */
export class Renewed {
  #held: Held
  #lifeMs: number
  readonly #renewal: Renewal
  readonly #renew: () => Promise<Held>
  readonly #onFailure: (failure: ActionError) => void
  #underWay: Promise<boolean> | null = null
  #nextRestMs = REST_AFTER_FAILURE_MS
  #restUntil = Number.NEGATIVE_INFINITY

  /** `renew` makes a new credential, and registers its masks before it resolves. */
  constructor(held: Held, renewal: Renewal, renew: () => Promise<Held>, onFailure: (failure: ActionError) => void) {
    this.#held = held
    this.#lifeMs = this.#leftMs
    this.#renewal = renewal
    this.#renew = renew
    this.#onFailure = onFailure
  }

  /** How long the newest credential lives in all. */
  get lifeMs(): number {
    return this.#lifeMs
  }

  /** A credential that lives; null when it is over and there is no new one. Questions at the same time share a renewal. */
  async current(): Promise<Held["document"] | null> {
    if (this.#leftMs >= this.#renewal.below(this.#lifeMs)) return this.#held.document
    if (performance.now() >= this.#restUntil || this.#underWay !== null) {
      const underWay = this.renew()
      const isUsable = this.#leftMs >= USABLE_MS
      await (isUsable ? Promise.race([underWay, sleep(this.#renewal.answerWithinMs)]) : underWay)
    }
    return this.#leftMs > 0 ? this.#held.document : null
  }

  /** Renews at once, or waits for the renewal that is under way. Returns false when there is no new credential. */
  renew(): Promise<boolean> {
    this.#underWay ??= this.#fetch()
    return this.#underWay
  }

  /** The newest credential, even if it is over. */
  get newest(): Held["document"] {
    return this.#held.document
  }

  /** Resolves when no renewal is on its way. */
  async settled(): Promise<void> {
    await this.#underWay
  }

  get #leftMs(): number {
    return this.#held.endsAt - Date.now()
  }

  async #fetch(): Promise<boolean> {
    try {
      this.#held = await this.#renew()
      this.#lifeMs = this.#leftMs
      this.#nextRestMs = REST_AFTER_FAILURE_MS
      return true
    } catch (thrown) {
      this.#restUntil = performance.now() + this.#nextRestMs
      this.#nextRestMs = Math.min(LONGEST_REST_MS, this.#nextRestMs * 2)
      this.#onFailure(toFailure(thrown))
      return false
    } finally {
      this.#underWay = null
    }
  }
}

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds).unref())

import type { Session } from "../aws-session.ts"
import { type ActionError, toFailure } from "../failure.ts"

/**
 * A new session is fetched when less than a third of its life is left, and less than five minutes. SDKs sign with a session
 * for the minutes after they asked for it.
 */
const RENEW_BELOW_MS = 5 * 60_000
/** A session that ends sooner is not given out while a new one is on its way. */
const USABLE_MS = 30_000
/** SDKs wait one or two seconds for an answer. A renewal that takes longer goes on, and the next question gets it. */
const ANSWER_WITHIN_MS = 800
/** After a failure, the broker is not asked again for this long. The time doubles with each further failure. */
const REST_AFTER_FAILURE_MS = 10_000
const LONGEST_REST_MS = 80_000

/** The session of one grant, which is renewed when somebody asks for it and it ends soon. */
export class RenewedSession {
  #session: Session
  #lifeMs: number
  readonly #renew: () => Promise<Session>
  readonly #onFailure: (failure: ActionError) => void
  #renewal: Promise<boolean> | null = null
  #nextRestMs = REST_AFTER_FAILURE_MS
  #restUntil = Number.NEGATIVE_INFINITY

  /** `renew` makes a new session, and registers its masks before it resolves. */
  constructor(session: Session, renew: () => Promise<Session>, onFailure: (failure: ActionError) => void) {
    this.#session = session
    this.#lifeMs = leftOf(session)
    this.#renew = renew
    this.#onFailure = onFailure
  }

  /** A session that lives; null when it is over and no new one could be fetched. Questions at the same time share a renewal. */
  async current(): Promise<Session | null> {
    if (leftOf(this.#session) >= Math.min(RENEW_BELOW_MS, this.#lifeMs / 3)) return this.#session
    if (performance.now() >= this.#restUntil || this.#renewal !== null) {
      this.#renewal ??= this.#fetch()
      const isUsable = leftOf(this.#session) >= USABLE_MS
      await (isUsable ? Promise.race([this.#renewal, sleep(ANSWER_WITHIN_MS)]) : this.#renewal)
    }
    return leftOf(this.#session) > 0 ? this.#session : null
  }

  /** Resolves when no renewal is on its way. */
  async settled(): Promise<void> {
    await this.#renewal
  }

  async #fetch(): Promise<boolean> {
    try {
      this.#session = await this.#renew()
      this.#lifeMs = leftOf(this.#session)
      this.#nextRestMs = REST_AFTER_FAILURE_MS
      return true
    } catch (thrown) {
      this.#restUntil = performance.now() + this.#nextRestMs
      this.#nextRestMs = Math.min(LONGEST_REST_MS, this.#nextRestMs * 2)
      this.#onFailure(toFailure(thrown))
      return false
    } finally {
      this.#renewal = null
    }
  }
}

const leftOf = ({ Expiration }: Session) => Date.parse(Expiration) - Date.now()

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds).unref())

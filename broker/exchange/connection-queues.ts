import type { WaitUntil } from "../ports/sweeping.ts"
import type { Broker } from "./broker.ts"
import { createLimit, type Limit } from "./limit.ts"
import type { Revoking } from "./revoke-all.ts"
import { LONGEST_PAUSE_MS } from "./vendor-pace.ts"

/**
 * How many credentials of one connection are revoked at the same time. GitHub allows 100 requests at the same time for an App,
 * and the jobs' own need most of them; at a tenth of a second a call this ends 160 a second, several times what the default
 * limits of a unit let it open.
 */
const AT_ONCE = 16
/** How much work one connection has waiting in memory, in milliseconds of its own pace. What is beyond stays in storage. */
const QUEUED_MS = 1000
/**
 * How long after its lease was begun a revocation can start. It may take 10 s, and after 60 s the ledger begins the next
 * attempt: two at the same time would revoke twice.
 */
const START_WITHIN_MS = 40_000

interface Queue {
  readonly limit: Limit
  /** Revocations that run or wait. */
  size: number
  /** Of the monotonic clock, in milliseconds: how long leases that were postponed will keep the vendor busy. */
  postponedUntil: number
}

/**
 * The revocations of one sweep: a queue for each connection, so that a slow or dead vendor delays only what it must revoke
 * itself. Works only in memory: a lease that is begun and not tried is due again after its pause.
 */
export class ConnectionQueues {
  readonly #broker: Broker
  readonly #atOnce: number
  readonly #queues = new Map<string, Queue>()

  constructor(broker: Broker) {
    this.#broker = broker
    // At the edge all connections share six places: a dead vendor leaves one to the others until it is left alone.
    this.#atOnce = Math.min(AT_ONCE, (broker.callsAtOnce ?? Number.POSITIVE_INFINITY) - 1)
  }

  /**
   * For one visit of a ledger, at `now` (Unix milliseconds). A lease waits while its connection is paused; and while more is
   * queued than the vendor answers in a second. Those are postponed, one after the other, to times at which the vendor should
   * have come to them, so that each is written once.
   */
  waits(now: number): WaitUntil {
    const taken = new Map<string, number>()
    const { pace, clock } = this.#broker
    return (connection) => {
      const pause = pace.pauseMs(connection)
      if (pause > 0) return now + pause
      const queue = this.#of(connection)
      const before = taken.get(connection) ?? 0
      const oneMs = pace.callMs(connection) / this.#atOnce
      const waiting = (queue.size + before) * oneMs
      if (waiting <= QUEUED_MS) {
        taken.set(connection, before + 1)
        return null
      }
      const elapsed = clock.elapsed()
      queue.postponedUntil = Math.max(queue.postponedUntil, elapsed + waiting) + oneMs
      return now + Math.ceil(Math.min(queue.postponedUntil - elapsed, LONGEST_PAUSE_MS))
    }
  }

  /** Whether leases in storage wait for the times to which they were postponed. */
  hasPostponed(): boolean {
    const elapsed = this.#broker.clock.elapsed()
    return [...this.#queues.values()].some(({ postponedUntil }) => postponedUntil > elapsed)
  }

  /** Runs the revocations of one lease, each in its connection's queue. One that comes too late, or in a pause, is left out. */
  revoking(): Revoking {
    const { pace, clock } = this.#broker
    const latest = clock.elapsed() + START_WITHIN_MS
    return async (connection, act) => {
      const queue = this.#of(connection)
      queue.size += 1
      try {
        return await queue.limit(async () => {
          if (pace.pauseMs(connection) > 0 || clock.elapsed() > latest) return "left-out"
          return await act()
        })
      } finally {
        queue.size -= 1
      }
    }
  }

  #of(connection: string): Queue {
    const known = this.#queues.get(connection)
    if (known) return known
    const queue = { limit: createLimit(this.#atOnce), size: 0, postponedUntil: 0 }
    this.#queues.set(connection, queue)
    return queue
  }
}

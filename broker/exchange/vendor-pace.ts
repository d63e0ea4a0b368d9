import { BrokerError } from "../core/errors.ts"
import type { Clock } from "../ports/clock.ts"
import type { Log } from "../ports/log.ts"

/** What a call to a vendor takes until one was measured, in milliseconds. */
const ASSUMED_CALL_MS = 100
/** The share of the last call in the average. */
const LAST_CALL_SHARE = 0.2
/** After so many failures in a row, a vendor counts as down: one alone may be an answer that was lost on its way. */
const FAILURES_IN_A_ROW = 3
/** The pause of a vendor that is down. It doubles up to the longest. */
const FIRST_PAUSE_MS = 15_000
/** Where a vendor throttles, and names no time. */
const THROTTLED_MS = 10_000
/** Vendors name up to an hour. Asking once in five minutes finds out earlier, and is no load. */
export const LONGEST_PAUSE_MS = 5 * 60_000

/**
 * How fast the vendors behind connections answer, and which of them must be left alone, so that a sweep asks each as much as
 * it can answer. Learnt from every revocation, also of jobs; but a job's own revocation never waits for a pause.
 *
 * Holds values only, because at the edge all requests of an instance share it.
 */
export interface VendorPace {
  /** How long to leave the connection alone, in milliseconds; 0: it can be asked. */
  pauseMs(connection: string): number
  /** The average time of its calls that worked, in milliseconds. */
  callMs(connection: string): number
  /** A revocation ended after `ms` milliseconds; null: it worked. */
  note(connection: string, ms: number, error: unknown): void
  /** Connections that answered no revocation since this many milliseconds, the longest first. */
  failing(): readonly { readonly connection: string; readonly forMs: number }[]
}

interface Known {
  callMs: number
  /** Failures in a row, and pauses since the last success. */
  failures: number
  pauses: number
  /** Of the monotonic clock, in milliseconds. */
  failingSince: number | null
  pausedUntil: number
}

export function createVendorPace(clock: Pick<Clock, "elapsed">, log: Log): VendorPace {
  const known = new Map<string, Known>()
  const pauseMs = (connection: string) => Math.max(0, (known.get(connection)?.pausedUntil ?? 0) - clock.elapsed())

  function pause(connection: string, of: Known, ms: number, why: string): void {
    of.pausedUntil = clock.elapsed() + Math.min(ms, LONGEST_PAUSE_MS)
    of.pauses += 1
    const seconds = Math.ceil(pauseMs(connection) / 1000)
    log({ event: "revocations.paused", detail: `${why}: the sweep asks again in ${seconds} s`, connection })
  }

  return {
    pauseMs,
    callMs: (connection) => known.get(connection)?.callMs ?? ASSUMED_CALL_MS,
    note(connection, ms, error) {
      const fresh: Known = { callMs: ASSUMED_CALL_MS, failures: 0, pauses: 0, failingSince: null, pausedUntil: 0 }
      const of = known.get(connection) ?? fresh
      known.set(connection, of)
      if (error === null) {
        const callMs = of.callMs + LAST_CALL_SHARE * (ms - of.callMs)
        Object.assign(of, { callMs, failures: 0, pauses: 0, failingSince: null, pausedUntil: 0 })
      }
      const code = error instanceof BrokerError ? error.code : null
      // Every other error is about one credential, and says nothing of the next.
      if (code !== "provider_throttled" && code !== "provider_unavailable") return
      of.failures += 1
      of.failingSince ??= clock.elapsed()
      // Calls that were under way when the pause began do not make it longer.
      if (pauseMs(connection) > 0) return
      if (code === "provider_throttled") {
        const seconds = (error as BrokerError).retryAfterSeconds
        pause(connection, of, seconds === undefined ? THROTTLED_MS : seconds * 1000, "the vendor throttles")
      } else if (of.failures >= FAILURES_IN_A_ROW) {
        pause(connection, of, FIRST_PAUSE_MS * 2 ** Math.min(of.pauses, 10), "the vendor cannot be reached, or fails")
      }
    },
    failing: () =>
      [...known]
        .flatMap(([connection, { failingSince }]) =>
          failingSince === null ? [] : [{ connection, forMs: clock.elapsed() - failingSince }],
        )
        .sort((one, other) => other.forMs - one.forMs),
  }
}

import { forLog } from "./escape.ts"
import { ActionError, type Retry } from "./failure.ts"
import { info } from "./runner.ts"

const DEADLINE_MS = 30_000
const ATTEMPT_MS = 15_000
const QUICK_PAUSES_MS: readonly number[] = [150, 450]
const PATIENT_BASE_MS = 500
const PATIENT_CAP_MS = 8_000
const PATIENT_PAUSES = 6
/** What the next attempt needs for its token and its answer. After a wait that leaves less, it could not succeed. */
const LAST_CALL_MS = 3_000

/** The clock, randomness and log that retries use; tests replace them. */
export interface Waiting {
  now(): number
  random(): number
  sleep(milliseconds: number): Promise<void>
  /** Logs that another attempt follows. */
  log(text: string): void
}

export interface Deadline {
  /** Limit for one call: the time left, and at most half of the deadline, so that another call can follow. At least 1. */
  attemptMs(): number
  remainingMs(): number
}

/** Starts the one deadline for all network calls of a step: 30 seconds. */
export function startDeadline(waiting: Waiting = REAL): Deadline {
  const end = waiting.now() + DEADLINE_MS
  const remainingMs = () => Math.max(0, end - waiting.now())
  return { remainingMs, attemptMs: () => Math.max(1, Math.min(ATTEMPT_MS, remainingMs())) }
}

/**
 * Repeats `attempt` until it succeeds, fails for good, or the deadline is over; then throws the last error.
 *
 * Pauses have full jitter, so that jobs that failed at the same time do not retry at the same time. A `Retry-After` is
 * waited for in full, and the jitter after it is shortened to the time left. If it is longer than the time left, there is
 * no wait and no further attempt.
 */
export async function withRetries<Value>(
  deadline: Deadline,
  attempt: () => Promise<Value>,
  waiting: Waiting = REAL,
): Promise<Value> {
  const tries = { quick: 0, patient: 0 }
  for (;;) {
    try {
      return await attempt()
    } catch (thrown) {
      if (!(thrown instanceof ActionError) || thrown.retry === undefined) throw thrown
      const { pace, afterMs = 0 } = thrown.retry
      const jitter = jitterMs(pace, tries[pace]++, waiting.random())
      const spareMs = deadline.remainingMs() - afterMs - LAST_CALL_MS
      if (jitter === null || spareMs <= 0) throw thrown
      const pause = afterMs + Math.min(jitter, spareMs)
      const next = afterMs === 0 ? "Trying again." : `Waiting ${Math.ceil(afterMs / 1000)} s, then trying again.`
      waiting.log(`${forLog(thrown.message)} ${next}`)
      await waiting.sleep(pause)
    }
  }
}

/** A random part of the longest pause after `failed` earlier failures of this pace; null to stop. */
function jitterMs(pace: Retry["pace"], failed: number, random: number): number | null {
  if (pace === "quick") {
    const longest = QUICK_PAUSES_MS[failed]
    return longest === undefined ? null : longest * random
  }
  return failed >= PATIENT_PAUSES ? null : Math.min(PATIENT_CAP_MS, PATIENT_BASE_MS * 2 ** failed) * random
}

const REAL: Waiting = {
  now: () => performance.now(),
  random: Math.random,
  log: info,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
}

import { forLog } from "./escape.ts"
import { ActionError, type Retry } from "./failure.ts"
import { info } from "./runner.ts"

const ATTEMPT_MS = 15_000
const QUICK_PAUSES_MS: readonly number[] = [150, 450]
const PATIENT_BASE_MS = 500
const PATIENT_CAP_MS = 8_000
/** Up to so many jobs start at once without a pause. */
const SMALL_MATRIX = 20
/** Spreads the first calls of a matrix over time: 50 a second. */
const SPREAD_MS = 20
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

/** Starts the one deadline for all network calls of a step. */
export function startDeadline(totalMs: number, waiting: Waiting = REAL): Deadline {
  const end = waiting.now() + totalMs
  const attempt = Math.min(ATTEMPT_MS, totalMs / 2)
  const remainingMs = () => Math.max(0, end - waiting.now())
  return { remainingMs, attemptMs: () => Math.max(1, Math.min(attempt, remainingMs())) }
}

/**
 * Waits a random time before the first call of a job in a large matrix, whose jobs start at the same moment. The pause is at
 * most 20 ms for each job of the matrix, and a quarter of the time left.
 * @param jobs how many jobs of the matrix run at the same time
 */
export async function spreadFirstCall(jobs: number, deadline: Deadline, waiting: Waiting = REAL): Promise<void> {
  if (jobs <= SMALL_MATRIX) return
  const pause = Math.min(jobs * SPREAD_MS, deadline.remainingMs() / 4) * waiting.random()
  waiting.log(`Waiting ${(pause / 1000).toFixed(1)} s, because ${jobs} jobs of this matrix can start together.`)
  await waiting.sleep(pause)
}

/**
 * Repeats `attempt` until it succeeds, fails for good, or the deadline is over; then throws the last error.
 *
 * Pauses have full jitter, so that jobs that failed at the same time do not retry at the same time. A `Retry-After` is
 * waited for in full. All jobs of a herd get the same one, so the jitter after it is as long as the `Retry-After` itself, or
 * what the time left has room for. If that is nothing, there is no wait and no further attempt.
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
      const longest = longestJitterMs(pace, tries[pace]++)
      const spareMs = deadline.remainingMs() - afterMs - LAST_CALL_MS
      if (longest === null || spareMs <= 0) throw thrown
      // Scaled, not cut off: of a herd, all that drew a longer pause would call in the same last moment.
      const pause = afterMs + Math.min(Math.max(longest, afterMs), spareMs) * waiting.random()
      const next =
        afterMs === 0 ? "Trying again." : `Waiting at least ${Math.ceil(afterMs / 1000)} s, then trying again.`
      waiting.log(`${forLog(thrown.message)} ${next}`)
      await waiting.sleep(pause)
    }
  }
}

/** The longest pause after `failed` earlier failures of this pace; null to stop. */
function longestJitterMs(pace: Retry["pace"], failed: number): number | null {
  if (pace === "quick") return QUICK_PAUSES_MS[failed] ?? null
  return Math.min(PATIENT_CAP_MS, PATIENT_BASE_MS * 2 ** failed)
}

const REAL: Waiting = {
  // `performance` loads 11 more of Node's modules at its first use, more than half a millisecond of each start.
  now: () => process.uptime() * 1000,
  random: Math.random,
  log: info,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
}

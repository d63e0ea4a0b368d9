import { forLog } from "./escape.ts"
import { ActionError, type Retry } from "./failure.ts"
import { info } from "./runner.ts"

const DEADLINE_MS = 30_000
const ATTEMPT_MS = 15_000
const QUICK_PAUSES_MS: readonly number[] = [150, 450]
const PATIENT_BASE_MS = 500
const PATIENT_CAP_MS = 8_000
const PATIENT_PAUSES = 6

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
 * waited for in full; if it is longer than the time left, there is no further attempt.
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
      const pause = pauseMs(thrown.retry, tries[thrown.retry.pace]++, waiting.random())
      if (pause === null || pause >= deadline.remainingMs()) throw thrown
      waiting.log(`${forLog(thrown.message)} Trying again.`)
      await waiting.sleep(pause)
    }
  }
}

/** How long to wait after `failed` earlier failures of this pace; null to stop. */
function pauseMs(retry: Retry, failed: number, random: number): number | null {
  if (retry.pace === "quick") {
    const longest = QUICK_PAUSES_MS[failed]
    return longest === undefined ? null : longest * random
  }
  if (failed >= PATIENT_PAUSES) return null
  const longest = Math.min(PATIENT_CAP_MS, PATIENT_BASE_MS * 2 ** failed)
  return (retry.afterMs ?? 0) + longest * random
}

const REAL: Waiting = {
  now: () => performance.now(),
  random: Math.random,
  log: info,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
}

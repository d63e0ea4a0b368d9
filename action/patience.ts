import { forLog } from "./escape.ts"
import { ActionError, type Retry } from "./failure.ts"
import { info } from "./runner.ts"

const DEADLINE_MS = 30_000
const ATTEMPT_MS = 15_000
const QUICK_PAUSES_MS: readonly number[] = [150, 450]
const PATIENT_BASE_MS = 500
const PATIENT_CAP_MS = 8_000
const PATIENT_PAUSES = 6

/** What a test of waiting replaces. */
export interface Waiting {
  now(): number
  random(): number
  sleep(milliseconds: number): Promise<void>
  /** Says in the log that there will be another try. */
  tell(text: string): void
}

export interface Deadline {
  /** How long one call may take: what is left, and no more than lets another one follow. At least 1. */
  attemptMs(): number
  remainingMs(): number
}

/** One deadline over everything that a step does on the network: 30 seconds. */
export function startDeadline(waiting: Waiting = REAL): Deadline {
  const end = waiting.now() + DEADLINE_MS
  const remainingMs = () => Math.max(0, end - waiting.now())
  return { remainingMs, attemptMs: () => Math.max(1, Math.min(ATTEMPT_MS, remainingMs())) }
}

/**
 * Tries until it works, until another try cannot help, or until time is up; then throws what the last try threw.
 *
 * Pauses have full jitter, so that jobs that failed together do not come back together. What the other side asks for
 * (`Retry-After`) is waited for in full, and if it asks for more than is left, not at all.
 */
export async function persist<Value>(
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
      waiting.tell(`${forLog(thrown.message)} Trying again.`)
      await waiting.sleep(pause)
    }
  }
}

/** How long to wait before the try after the `failed`-th (from 0) of this pace; null to give up. */
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
  tell: info,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
}

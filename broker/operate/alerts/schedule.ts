const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/**
 * The pauses between the attempts for one message, in milliseconds: together three days and eight hours, so that a receiver
 * can be down over a weekend (Standard Webhooks, "Deliverability and Reliability").
 */
const PAUSES: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  24 * HOUR,
  24 * HOUR,
]

/** No receiver can ask for a longer pause. */
const LONGEST_ASKED_MS = 24 * HOUR

/** How much longer or shorter a pause may be, so that receivers which failed together are not tried together. */
const JITTER = 0.2

/**
 * How long to wait after attempt number `attempts` (1: the first) failed, in milliseconds; null: there is no further attempt.
 *
 * @param askedMs what the receiver asked for by `Retry-After`; a shorter pause than planned is not taken
 * @param random 0 to 1
 */
export function pauseAfter(attempts: number, askedMs: number | null, random: number): number | null {
  const pause = PAUSES[attempts - 1]
  if (pause === undefined) return null
  const jittered = pause * (1 + JITTER * (2 * random - 1))
  return Math.round(Math.max(jittered, Math.min(askedMs ?? 0, LONGEST_ASKED_MS)))
}

/** `Retry-After` in milliseconds: seconds, or an HTTP date (RFC 9110, section 10.2.3); null for anything else. */
export function readRetryAfter(value: string | null, now: number): number | null {
  if (value === null) return null
  if (/^[0-9]{1,9}$/.test(value)) return Number(value) * SECOND
  const at = /GMT$/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}

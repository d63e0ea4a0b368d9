import { fail, ok, type Result } from "./result.ts"

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }
const DURATION = /^([1-9][0-9]{0,6})([smh])$/

/** The longest lifetime that a policy can set: 30 days, in seconds. */
export const MAX_DURATION_SECONDS = 30 * 24 * 3600

/** The maximum lifetime of the broker's identity tokens, in seconds. */
export const IDENTITY_TOKEN_SECONDS = 300

/**
 * Parses `90s`, `15m` or `1h` to seconds. Refuses zero, signs, fractions, spaces and combined units, because a lifetime
 * must not be ambiguous.
 */
export function parseDuration(text: string): Result<number, string> {
  const match = DURATION.exec(text)
  const unit = match?.[2] === undefined ? undefined : UNIT_SECONDS[match[2]]
  if (!match || unit === undefined) return fail("a duration is a whole number and a unit: 90s, 15m or 1h")
  const seconds = Number(match[1]) * unit
  if (seconds > MAX_DURATION_SECONDS) return fail("a duration is at most 30 days (720h)")
  return ok(seconds)
}

/** Writes seconds as a whole number in the largest possible unit: 900 is `15m`. */
export function formatDuration(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`
  if (seconds % 60 === 0) return `${seconds / 60}m`
  return `${seconds}s`
}

import type { Limits, ReachedLimit } from "../../core/policy/limits.ts"
import type { Standing } from "../../ports/ledger.ts"

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** An open lease can end at any moment, so there is no time at which a place is certainly free. */
const OPEN_LEASES_RETRY_SECONDS = 15

/** What one ledger has counted. Stored in the ledger's row, so that counting costs no further page. */
export interface Counts {
  /** The window of exchanges: minutes since 1970. A window from the future, left by a clock that was ahead, counts as over. */
  readonly minute: number
  readonly exchanges: number
  /** The window of denials: hours since 1970. */
  readonly hour: number
  readonly denials: number
  /** Denials of this window that have no record of their own. */
  readonly counted: number
  /** The limits whose being reached was recorded in this hour. */
  readonly told: readonly string[]
  readonly openLeases: number
}

const NONE: Counts = { minute: 0, exchanges: 0, hour: 0, denials: 0, counted: 0, told: [], openLeases: 0 }

/** @param text empty for a ledger that has counted nothing yet */
export const readCounts = (text: string): Counts => (text === "" ? NONE : { ...NONE, ...(JSON.parse(text) as Counts) })

export const writeCounts = (counts: Counts): string => JSON.stringify(counts)

/** The counts in the windows of `now` (Unix milliseconds). `ended`: the denials of an hour that is over and has no record yet. */
export function turned(counts: Counts, now: number): { readonly counts: Counts; readonly ended: EndedHour | null } {
  const minute = Math.floor(now / MINUTE_MS)
  const hour = Math.floor(now / HOUR_MS)
  const ofMinute = counts.minute === minute ? {} : { minute, exchanges: 0 }
  if (counts.hour === hour) return { counts: { ...counts, ...ofMinute }, ended: null }
  const ended = counts.counted === 0 ? null : { from: counts.hour * HOUR_MS, denials: counts.counted }
  return { counts: { ...counts, ...ofMinute, hour, denials: 0, counted: 0, told: [] }, ended }
}

/** Denials that were counted without a record of their own, in the hour that began at `from` (Unix milliseconds). */
export interface EndedHour {
  readonly from: number
  readonly denials: number
}

/** When the hour of `counts` is over, in Unix milliseconds; null when nothing was counted that needs a record then. */
export const hourEnds = (counts: Counts): number | null => (counts.counted === 0 ? null : (counts.hour + 1) * HOUR_MS)

/** The limit of the whole unit that stands in the way of another exchange; null when none does. */
export function reachedLimit(counts: Counts, limits: Limits, now: number): ReachedLimit | null {
  if (counts.exchanges >= limits.exchangesPerMinute.max) {
    return {
      name: "exchanges_per_minute",
      ...limits.exchangesPerMinute,
      used: counts.exchanges,
      retryAfterSeconds: secondsLeft(now, MINUTE_MS),
    }
  }
  if (counts.openLeases >= limits.openLeases.max) {
    return {
      name: "open_leases",
      ...limits.openLeases,
      used: counts.openLeases,
      retryAfterSeconds: OPEN_LEASES_RETRY_SECONDS,
    }
  }
  return null
}

/** The refusal for one grant of which `used` leases are open. */
export const grantReached = (
  limit: { readonly max: number; readonly source: string; readonly grant: string },
  used: number,
): ReachedLimit => ({
  name: "max_open_leases",
  max: limit.max,
  source: limit.source,
  grant: limit.grant,
  used,
  retryAfterSeconds: OPEN_LEASES_RETRY_SECONDS,
})

export function standingOf(counts: Counts, now: number): Standing {
  const { counts: current } = turned(counts, now)
  return {
    exchanges: { used: current.exchanges, resetsInSeconds: secondsLeft(now, MINUTE_MS) },
    openLeases: current.openLeases,
    denials: { used: current.denials, counted: current.counted, resetsInSeconds: secondsLeft(now, HOUR_MS) },
  }
}

/** Seconds until the next window of this length begins: at least 1. */
const secondsLeft = (now: number, windowMs: number): number =>
  Math.max(1, Math.ceil((windowMs - (now % windowMs)) / 1000))

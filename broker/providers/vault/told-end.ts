import type { FreshSecret } from "./minted.ts"

/** Members with the remaining seconds. `token_ttl`: of the Google Cloud engine. */
const REST_OF_LIFE = ["ttl", "token_ttl", "expires_in"] as const
/** Members with a time, in Unix seconds or in the form of RFC 3339. `expiration`: of the PKI engine. */
const TIME = [
  "expiration",
  "expires_at",
  "expires_at_seconds",
  "expires_on",
  "expired_at",
  "expire_time",
  "not_after",
] as const

/** The end of a credential according to its engine; null when it names none. `unreadable`: the end has an unknown form. */
export type ToldEnd = Date | "unreadable" | null

/** The end in the engine's answer, the latest if there are several; null when there is none. */
export function toldEnd(data: FreshSecret["data"], from: Date): ToldEnd {
  const said = (names: readonly string[]) => names.map((name) => data[name]).filter((value) => (value ?? null) !== null)
  const ends = [
    ...said(REST_OF_LIFE).map((value) => {
      const seconds = wholeOf(value)
      return seconds === null ? null : from.getTime() + seconds * 1000
    }),
    ...said(TIME).map(timeOf),
  ]
  if (ends.length === 0) return null
  const known = ends.filter((end) => end !== null)
  return known.length < ends.length ? "unreadable" : new Date(Math.max(...known))
}

const RFC_3339 = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})$/

/** In Unix milliseconds. */
function timeOf(value: unknown): number | null {
  const seconds = wholeOf(value)
  if (seconds !== null) return seconds * 1000
  const time = typeof value === "string" && RFC_3339.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? null : time
}

/** At most ten digits, which reach the year 2286. A 0 is refused, because it may mean that there is no end. */
function wholeOf(value: unknown): number | null {
  const number = typeof value === "string" && /^[0-9]{1,10}$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isInteger(number) && number > 0 && number < 1e10 ? number : null
}

/** The part of a record that a question is about. ISO 8601; null: open. */
export interface Window {
  /** The first moment. */
  readonly since: string | null
  /** The first moment after it. */
  readonly until: string | null
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }

/** The window that `--since` and `--until` ask for, or a sentence that says what is wrong with them. */
export function windowOf(options: Readonly<Record<string, unknown>>, now: Date): Window | string {
  const [since, until] = [timeOf(options["since"], now), timeOf(options["until"], now)]
  for (const [name, time] of [
    ["--since", since],
    ["--until", until],
  ] as const) {
    if (time === undefined)
      return `${name} is a time such as 2026-11-01 or 2026-11-01T08:00:00Z, or an age such as 90d, 36h or 15m`
  }
  if (since && until && since >= until) return "--since must be before --until"
  return { since: since ?? null, until: until ?? null }
}

export const isWithin = (at: string, { since, until }: Window): boolean =>
  (since === null || at >= since) && (until === null || at < until)

/** Null for an option that was not given; undefined for one that is no time. */
function timeOf(text: unknown, now: Date): string | null | undefined {
  if (text === undefined) return null
  if (typeof text !== "string") return undefined
  const [, count, unit = ""] = /^([1-9][0-9]{0,4})([mhdw])$/.exec(text) ?? []
  if (count !== undefined) return new Date(now.getTime() - Number(count) * (UNITS[unit] ?? 0)).toISOString()
  // Only forms that mean the same moment everywhere: a time without a zone is another one on another machine.
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?Z)?$/.test(text))
    return undefined
  const at = new Date(text)
  // A day that does not exist would become another one.
  return Number.isNaN(at.getTime()) || at.toISOString().slice(0, 10) !== text.slice(0, 10)
    ? undefined
    : at.toISOString()
}

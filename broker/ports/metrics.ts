/** A counter's name without the prefix `daypass_` and the ending `_total`. */
export type CounterName = "requests" | "exchanges" | "provider_calls" | "revocations" | "leak_reports"

/** Texts by label. A label's values must be few: codes, routes and providers, never the name of a unit. */
export type Labels = Readonly<Record<string, string>>

/**
 * What happened, counted. Never waits and never throws: an exchange does not depend on it.
 *
 * On Node, the counts are those of the process. At the edge, each isolate hands them to one object, a few seconds later.
 */
export interface Metrics {
  count(name: CounterName, labels: Labels): void
  /** How long an exchange took, in milliseconds, whatever its answer. */
  exchanged(milliseconds: number): void
}

/** Counts since the last time that they were taken; or since the start. */
export interface Counts {
  /** `name{label="value"}`, in the order of their first count -> count. */
  readonly counters: Readonly<Record<string, number>>
  /** Exchanges by the first bucket that holds them: see `EXCHANGE_BUCKETS`; the last entry is for slower ones. */
  readonly exchanges: readonly number[]
  /** Milliseconds of all exchanges together. */
  readonly exchangeMs: number
}

/** Upper ends of the buckets for the duration of an exchange, in seconds. */
export const EXCHANGE_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

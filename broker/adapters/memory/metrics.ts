import { type Counts, EXCHANGE_BUCKETS, type Labels, type Metrics } from "../../ports/metrics.ts"

/** Counts in this instance's memory. */
export interface MemoryMetrics extends Metrics {
  /** What was counted so far. */
  read(): Counts
  /** The same, and begins anew: what was taken is no longer counted here. */
  take(): Counts
  /** Counts again what was taken, and could not be handed over. */
  giveBack(taken: Counts): void
}

/** Much more than all codes, routes and providers together: memory stays bounded whatever is counted. */
const MAX_SERIES = 2_000

/** Counts without I/O. One per instance of the broker. */
export function createMemoryMetrics(): MemoryMetrics {
  let counters = new Map<string, number>()
  let exchanges = EXCHANGE_BUCKETS.map(() => 0).concat(0)
  let exchangeMs = 0
  const read = (): Counts => ({ counters: Object.fromEntries(counters), exchanges: [...exchanges], exchangeMs })

  return {
    count(name, labels) {
      const key = seriesOf(name, labels)
      const before = counters.get(key)
      if (before === undefined && counters.size >= MAX_SERIES) return
      counters.set(key, (before ?? 0) + 1)
    },
    exchanged(milliseconds) {
      const bucket = EXCHANGE_BUCKETS.findIndex((end) => milliseconds <= end * 1000)
      const index = bucket === -1 ? EXCHANGE_BUCKETS.length : bucket
      exchanges[index] = (exchanges[index] ?? 0) + 1
      exchangeMs += milliseconds
    },
    read,
    take() {
      const taken = read()
      counters = new Map()
      exchanges = exchanges.map(() => 0)
      exchangeMs = 0
      return taken
    },
    giveBack(taken) {
      const sum = added(taken, read())
      counters = new Map(Object.entries(sum.counters))
      exchanges = [...sum.exchanges]
      exchangeMs = sum.exchangeMs
    },
  }
}

/** Adds counts to earlier ones. */
export function added(before: Counts, more: Counts): Counts {
  const counters = new Map(Object.entries(before.counters))
  for (const [key, count] of Object.entries(more.counters)) {
    if (counters.has(key) || counters.size < MAX_SERIES) counters.set(key, (counters.get(key) ?? 0) + count)
  }
  return {
    counters: Object.fromEntries(counters),
    exchanges: before.exchanges.map((count, index) => count + (more.exchanges[index] ?? 0)),
    exchangeMs: before.exchangeMs + more.exchangeMs,
  }
}

/** No counts. */
export const NO_COUNTS: Counts = { counters: {}, exchanges: EXCHANGE_BUCKETS.map(() => 0).concat(0), exchangeMs: 0 }

/** Codes, routes and providers are words of ours, without a character that the format would have to escape. */
const seriesOf = (name: string, labels: Labels): string =>
  `daypass_${name}_total{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value.replaceAll(/[^A-Za-z0-9_./:-]/g, "_")}"`)
    .join(",")}}`

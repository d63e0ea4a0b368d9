import { type Counts, EXCHANGE_BUCKETS, type Labels } from "../ports/metrics.ts"

/** A value at the time of the look. */
export interface Gauge {
  /** Without the prefix `daypass_`. Base units, as Prometheus asks: seconds, not milliseconds. */
  readonly name: string
  readonly help: string
  readonly samples: readonly { readonly labels?: Labels; readonly value: number }[]
}

/** Prometheus' text format, version 0.0.4. */
export const MEDIA_TYPE_METRICS = "text/plain; version=0.0.4; charset=utf-8"

const COUNTERS: Readonly<Record<string, string>> = {
  requests: "Answered requests, by route and code; ok for a request that was served.",
  exchanges: "Answered exchanges, by outcome (minted, denied, refused, failed) and code.",
  provider_calls: "Mints of one credential, by provider and outcome.",
  revocations: "Revocations of one credential, by provider and outcome.",
  leak_reports: "Values that GitHub reported as leaked, by outcome: ours, or unknown to the record.",
}

/** Writes counts and gauges in Prometheus' text format. */
export function metricsText(counts: Counts, gauges: readonly Gauge[]): string {
  const lines: string[] = []
  for (const [name, help] of Object.entries(COUNTERS)) {
    const full = `daypass_${name}_total`
    lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} counter`)
    for (const [series, count] of Object.entries(counts.counters)) {
      if (series.startsWith(`${full}{`)) lines.push(`${series} ${count}`)
    }
  }
  lines.push(...histogram(counts))
  for (const { name, help, samples } of gauges) {
    const full = `daypass_${name}`
    lines.push(`# HELP ${full} ${help}`, `# TYPE ${full} gauge`)
    for (const { labels, value } of samples) lines.push(`${full}${labelText(labels)} ${value}`)
  }
  return `${lines.join("\n")}\n`
}

function histogram({ exchanges, exchangeMs }: Counts): readonly string[] {
  const name = "daypass_exchange_duration_seconds"
  let sum = 0
  const buckets = EXCHANGE_BUCKETS.map((end, index) => {
    sum += exchanges[index] ?? 0
    return `${name}_bucket{le="${end}"} ${sum}`
  })
  const all = sum + (exchanges[EXCHANGE_BUCKETS.length] ?? 0)
  return [
    `# HELP ${name} How long exchanges took, whatever the answer.`,
    `# TYPE ${name} histogram`,
    ...buckets,
    `${name}_bucket{le="+Inf"} ${all}`,
    `${name}_sum ${exchangeMs / 1000}`,
    `${name}_count ${all}`,
  ]
}

const labelText = (labels: Labels | undefined): string =>
  labels === undefined || Object.keys(labels).length === 0
    ? ""
    : `{${Object.entries(labels)
        .map(([label, value]) => `${label}="${escaped(value)}"`)
        .join(",")}}`

/** A label's value can hold any character; these three are escaped. */
const escaped = (value: string) => value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

import { type CounterName, type Counts, EXCHANGE_BUCKETS, type Labels } from "../ports/metrics.ts"

/** What each gauge says, by its name without the prefix `daypass_`. Base units, as Prometheus asks: seconds, not milliseconds. */
export const GAUGES = {
  policies: "Policy files in force.",
  policies_loaded_timestamp_seconds: "When the policies in force were loaded.",
  policies_stale: "1 while the policies in force may be older than their source.",
  health: "1 for each part that is ok, as /healthz shows it.",
  vendors_failing: "Connections whose vendor revokes nothing now.",
  signing_keys: "Signing keys, by state.",
  signing_key_activated_timestamp_seconds: "Since when the key that signs does.",
  signing_key_rotation_due_timestamp_seconds: "When the schedule publishes the next signing key, or lets it sign.",
  sealed_under_previous_key: "Signing keys, and keys of the log of heads, that are sealed under DAYPASS_KEK_PREVIOUS.",
  stops: "Stops in force.",
  ledgers: "Ledgers of the deployment, one for each unit.",
  leases_open: "Leases that are open, by the last word of each ledger.",
  leases_overdue: "Leases that are over and have not ended.",
  leases_overdue_seconds: "For how long the oldest of them is over.",
  follow_lag_records: "Records that a reader of the audit trail has not taken, by reader.",
  record_latest_timestamp_seconds: "The latest time that a ledger has seen.",
  alerts_pending: "Alerts that are not delivered yet, by endpoint.",
  alert_failing: "1 while an endpoint of alerts takes none, by endpoint.",
  export_failing: "1 while an export cannot be written, by export.",
  audit_checkpoint_timestamp_seconds: "When the newest checkpoint was signed.",
  audit_checkpoint_heads: "The size of the newest checkpoint, in heads.",
  witness_cosigned_heads: "The size of the last checkpoint that a witness cosigned, in heads, by witness.",
} as const satisfies Readonly<Record<string, string>>

export type GaugeName = keyof typeof GAUGES

/** A value at the time of the look. */
export interface Gauge {
  readonly name: GaugeName
  readonly samples: readonly { readonly labels?: Labels; readonly value: number }[]
}

/** Prometheus' text format, version 0.0.4. */
export const MEDIA_TYPE_METRICS = "text/plain; version=0.0.4; charset=utf-8"

export const COUNTERS: Readonly<Record<CounterName, string>> = {
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
  for (const { name, samples } of gauges) {
    const full = `daypass_${name}`
    lines.push(`# HELP ${full} ${GAUGES[name]}`, `# TYPE ${full} gauge`)
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

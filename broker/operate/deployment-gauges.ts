import type { Broker } from "../exchange/broker.ts"
import type { Documents } from "../ports/documents.ts"
import type { FollowTotals } from "../ports/followed.ts"
import type { EndpointView, ExportView, OutboundDesk } from "../ports/outbound.ts"
import type { KeyState } from "../wire/keys.ts"
import type { GaugeSource } from "./gauges.ts"
import { type DeploymentKeys, listKeys } from "./keys.ts"
import { readLogState } from "./log-state.ts"
import type { Gauge } from "./metrics.ts"
import { storedStops } from "./stops.ts"

export interface GaugedDeployment {
  readonly broker: Broker
  readonly keys: DeploymentKeys
  readonly documents: Documents
  readonly outbound?: OutboundDesk
  totals?(): Promise<FollowTotals>
}

/** What the stores of a deployment tell: its keys, its stops, its ledgers, what leaves it, and its log of heads. The same from each broker. */
export function deploymentGauges({
  broker,
  keys,
  documents,
  outbound,
  totals,
}: GaugedDeployment): readonly GaugeSource[] {
  return [
    async () => keyGauges(await listKeys(broker, keys)),
    async () => [one("stops", (await storedStops({ broker, documents })).length)],
    async () => (totals ? followGauges(await totals()) : []),
    async () => (outbound ? outboundGauges(await outbound.endpoints(), await outbound.exports()) : []),
    async () => logGauges(await readLogState(documents)),
  ]
}

const STATES = ["next", "active", "retiring"] as const satisfies readonly KeyState[]

function keyGauges(report: Awaited<ReturnType<typeof listKeys>>): readonly Gauge[] {
  const { keys, publishes_next_at: publishes, log_key_sealed_under: log } = report
  const due = publishes ?? keys.find(({ state }) => state === "next")?.next?.at
  const sealed = [log, ...keys.map((key) => key.sealed_under)].filter((under) => under === "previous")
  return [
    {
      name: "signing_keys",
      samples: STATES.map((state) => ({
        labels: { state },
        value: keys.filter((key) => key.state === state).length,
      })),
    },
    at("signing_key_activated_timestamp_seconds", keys.find(({ state }) => state === "active")?.activated_at),
    at("signing_key_rotation_due_timestamp_seconds", due),
    one("sealed_under_previous_key", sealed.length),
  ]
}

function followGauges({ ledgers, openLeases, latestAt, behind }: FollowTotals): readonly Gauge[] {
  return [
    one("ledgers", ledgers),
    one("leases_open", openLeases),
    { name: "record_latest_timestamp_seconds", samples: latestAt === 0 ? [] : [{ value: latestAt / 1000 }] },
    {
      name: "follow_lag_records",
      samples: Object.entries(behind).map(([reader, value]) => ({ labels: { reader }, value })),
    },
  ]
}

function outboundGauges(endpoints: readonly EndpointView[], exports: readonly ExportView[]): readonly Gauge[] {
  const ofEndpoints = (name: Gauge["name"], reading: (endpoint: EndpointView) => number): Gauge => ({
    name,
    samples: endpoints.map((endpoint) => ({ labels: { endpoint: endpoint.name }, value: reading(endpoint) })),
  })
  return [
    ofEndpoints("alerts_pending", ({ waiting }) => waiting),
    ofEndpoints("alert_failing", ({ state }) => ((state?.failingSince ?? state?.offSince ?? null) === null ? 0 : 1)),
    {
      name: "export_failing",
      samples: exports.map(({ name, failingSince }) => ({
        labels: { export: name },
        value: failingSince === null ? 0 : 1,
      })),
    },
  ]
}

function logGauges(read: Awaited<ReturnType<typeof readLogState>>): readonly Gauge[] {
  if (read === null) return []
  const { signedAt, size, witnesses } = read.state
  return [
    at("audit_checkpoint_timestamp_seconds", signedAt),
    one("audit_checkpoint_heads", size),
    {
      name: "witness_cosigned_heads",
      // A verifier key begins with the witness's name.
      samples: Object.entries(witnesses).map(([key, witness]) => ({
        labels: { witness: key.split("+", 1)[0] ?? "" },
        value: witness.size,
      })),
    },
  ]
}

const one = (name: Gauge["name"], value: number): Gauge => ({ name, samples: [{ value }] })

/** A time of ISO 8601; without a sample when there is none. */
const at = (name: Gauge["name"], time: string | null | undefined): Gauge => ({
  name,
  samples: time == null ? [] : [{ value: Date.parse(time) / 1000 }],
})

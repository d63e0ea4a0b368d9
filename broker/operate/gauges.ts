import type { Broker } from "../exchange/broker.ts"
import type { Gauge } from "./metrics.ts"

/** Reads gauges when they are asked for. What cannot be read is left out, and its health says why. */
export type GaugeSource = () => Promise<readonly Gauge[]>

/** What every broker can tell of itself: its policies, its keys, and the parts that `/healthz` shows. */
export function brokersGauges(broker: Pick<Broker, "policySource" | "health" | "pace">): GaugeSource {
  return async () => {
    await broker.policySource.snapshot().catch(() => null)
    const { policies, loaded_at: loadedAt, stale } = broker.policySource.status()
    const parts = await Promise.all(broker.health.map(async (check) => [check.part, await check.look()] as const))
    return [
      {
        name: "policies",
        samples: [{ value: policies }],
      },
      {
        name: "policies_loaded_timestamp_seconds",
        samples: loadedAt === null ? [] : [{ value: Date.parse(loadedAt) / 1000 }],
      },
      {
        name: "policies_stale",
        samples: [{ value: stale === undefined ? 0 : 1 }],
      },
      {
        name: "health",
        samples: parts.map(([part, { state }]) => ({ labels: { part }, value: state === "ok" ? 1 : 0 })),
      },
      {
        name: "vendors_failing",
        samples: [{ value: broker.pace.failing().length }],
      },
    ]
  }
}

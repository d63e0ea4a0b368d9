import { lateness } from "../core/lateness.ts"
import type { VendorPace } from "../exchange/vendor-pace.ts"
import type { GaugeSource } from "../operate/gauges.ts"
import type { Clock } from "../ports/clock.ts"
import type { Health, HealthCheck } from "../ports/health.ts"
import type { Log } from "../ports/log.ts"
import type { NodeStore } from "../ports/node-store.ts"

/** How long a vendor may fail before it is shown: it may start again, or throttle for a minute. */
const FAILING_MS = 5 * 60_000

export interface OverdueWatch extends HealthCheck {
  /** Looks at the store and the vendors, and logs a change once. Called every few seconds; never throws. */
  tick(pace: Pick<VendorPace, "failing">): Promise<void>
}

/**
 * Watches whether leases end in time: whether a sweep comes to all that is due, and whether vendors revoke what it asks for.
 * `/healthz` shows what the last look has found, so that asking for it costs no read.
 */
export function createOverdueWatch(store: Pick<NodeStore, "overdue">, clock: Clock, log: Log): OverdueWatch {
  let health: Health = { state: "ok" }

  return {
    part: "leases",
    look: async () => health,
    async tick(pace) {
      const at = clock.now()
      const now = at.getTime()
      // Storage that cannot be read has a part of its own.
      const overdue = await store.overdue(now).catch(() => null)
      if (overdue === null) return
      const reason = [lateness(overdue, now), failures(pace)].filter((part) => part !== null).join("; ")
      if (reason === "") {
        if (health.state !== "ok") log({ event: "leases.in_time", detail: "all leases that are over have ended" })
        health = { state: "ok" }
        return
      }
      if (health.state === "ok") log({ event: "leases.overdue", detail: reason })
      health = { state: "degraded", reason, since: health.state === "ok" ? at.toISOString() : health.since }
    },
  }
}

/** The same in numbers. */
export const overdueGauges =
  (store: Pick<NodeStore, "overdue">, clock: Clock): GaugeSource =>
  async () => {
    const now = clock.now().getTime()
    const { leases, since } = await store.overdue(now)
    return [
      { name: "leases_overdue", samples: [{ value: leases }] },
      { name: "leases_overdue_seconds", samples: [{ value: since === null ? 0 : Math.max(0, now - since) / 1000 }] },
    ]
  }

/** Without names: health is public. The log names the connections. */
function failures(pace: Pick<VendorPace, "failing">): string | null {
  const failing = pace.failing().filter(({ forMs }) => forMs >= FAILING_MS)
  const [longest] = failing
  if (longest === undefined) return null
  const minutes = Math.floor(longest.forMs / 60_000)
  return `the vendors of ${failing.length} connections revoke nothing, since ${minutes} minutes: see revocation.failed in the log`
}

import type { Broker } from "../exchange/broker.ts"
import { recordOwnAct } from "../operate/act.ts"
import { Alerts } from "../operate/alerts/alerts.ts"
import { type ExportParts, Exports } from "../operate/exports/exports.ts"
import { recordPolicyChange } from "../operate/policy-changes.ts"
import type { Reader } from "../ports/followed.ts"
import type { HealthCheck } from "../ports/health.ts"
import type { Http } from "../ports/http.ts"
import type { OutboundStore } from "../ports/operate-store.ts"
import type { OutboundDesk } from "../ports/outbound.ts"

/** From then on, policies that are older than their source are an event, also without a fault. */
const STALE_MS = 5 * 60_000

/** What differs between the runtimes. */
export interface OutboundRuntime extends Pick<ExportParts, "sinkOf"> {
  /** Only public addresses, or those of a private network too. */
  httpTo(reach: "public" | "private"): Http
}

/** What leaves the broker by itself. */
export interface Outbound {
  readonly alerts: Alerts
  readonly exports: Exports
  /** What follows the record for them. */
  readonly readers: readonly Reader[]
  /** What operators see. */
  readonly desk: OutboundDesk
}

/** Alerts and exports of a deployment, as its organisation file asks for them. */
export function createOutbound(broker: Broker, { queue, marks }: OutboundStore, runtime: OutboundRuntime): Outbound {
  const toPublic = runtime.httpTo("public")
  const toPrivate = runtime.httpTo("private")
  const httpFor = (target: { readonly private_network?: true | undefined }) =>
    target.private_network === true ? toPrivate : toPublic
  const exports = new Exports({ broker, marks, httpFor, sinkOf: runtime.sinkOf })
  const alerts = new Alerts({
    url: broker.url,
    queue,
    marks,
    clock: broker.clock,
    log: broker.log,
    secrets: broker.connectionSecrets,
    httpFor,
    endpoints: async () => (await broker.policySource.snapshot()).organisation.alerts ?? new Map(),
    health: [...broker.health, policiesOf(broker), exports],
    record: (reason) => recordOwnAct("alert.failed", reason, broker),
    random: Math.random,
  })
  const alertReader: Reader = {
    name: alerts.name,
    from: alerts.from,
    take: (batch) => alerts.take(batch),
    async due(now) {
      await recordPolicyChange(broker, marks)
      return await alerts.due(now)
    },
  }
  const desk: OutboundDesk = {
    endpoints: () => alerts.view(),
    exports: () => exports.view(),
    async test(endpoint) {
      const attempt = await alerts.test(endpoint)
      if (attempt === null) return null
      if (attempt.ended === "delivered") return { failure: null }
      return { failure: attempt.ended === "gone" ? "the endpoint answered 410" : attempt.why }
    },
  }
  return { alerts, exports, readers: [alertReader], desk }
}

/** The age of the policies, which the broker's health tells in another form. */
function policiesOf({ policySource, clock }: Pick<Broker, "policySource" | "clock">): HealthCheck {
  return {
    part: "policies",
    async look() {
      const { stale } = policySource.status()
      // A folder that is being changed is stale for a moment, without a fault.
      const isLate = stale !== undefined && clock.now().getTime() - Date.parse(stale.since) >= STALE_MS
      if (stale === undefined || (stale.faults === 0 && !isLate)) return { state: "ok" }
      const reason = `the policies in force are older than their source, which has ${stale.faults} faults`
      return { state: "degraded", reason, since: stale.since }
    },
  }
}

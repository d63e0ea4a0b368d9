import type { AlertEndpoint } from "../../core/policy/schema-outbound.ts"
import type { AlertQueue, EndpointState } from "../../ports/alert-queue.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Health } from "../../ports/health.ts"
import type { EndpointView } from "../../ports/outbound.ts"
import type { Attempt } from "./deliver.ts"

/** An endpoint that fails for so long is shown in health. */
const FAILING_MS = 15 * 60_000

/** Endpoints by their names. */
export type EndpointTable = ReadonlyMap<string, AlertEndpoint>

/** What is known of the endpoints: it is kept in the queue's store, and belongs to an endpoint's URL. */
export class Endpoints {
  readonly #queue: AlertQueue
  readonly #clock: Clock

  constructor(queue: AlertQueue, clock: Clock) {
    this.#queue = queue
    this.#clock = clock
  }

  async isOff(name: string, endpoint: AlertEndpoint): Promise<boolean> {
    return ((await this.#stateOf(name, endpoint))?.offSince ?? null) !== null
  }

  /** Notes how an attempt ended. Only an attempt that an operator asked for (`isTest`) switches an endpoint on again. */
  async note(name: string, endpoint: AlertEndpoint, attempt: Attempt, isTest: boolean): Promise<void> {
    const now = this.#clock.now().getTime()
    const before = await this.#stateOf(name, endpoint)
    const isDelivered = attempt.ended === "delivered"
    const offBefore = isDelivered && isTest ? null : (before?.offSince ?? null)
    await this.#queue.noteEndpoint(name, {
      url: endpoint.url,
      offSince: attempt.ended === "gone" ? (offBefore ?? now) : offBefore,
      failingSince: isDelivered ? null : (before?.failingSince ?? now),
      deliveredAt: isDelivered ? now : (before?.deliveredAt ?? null),
      lastFailure: attempt.ended === "failed" ? attempt.why : isDelivered ? null : "the endpoint answered 410",
    })
  }

  async view(table: EndpointTable): Promise<readonly EndpointView[]> {
    const waiting = await this.#queue.waiting()
    const views: EndpointView[] = []
    for (const [name, endpoint] of table) {
      const state = await this.#stateOf(name, endpoint)
      views.push({ name, url: endpoint.url, waiting: waiting.get(name) ?? 0, state })
    }
    return views
  }

  async health(table: EndpointTable): Promise<Health> {
    const now = this.#clock.now().getTime()
    let off = 0
    let failing = 0
    let since = now
    for (const [name, endpoint] of table) {
      const { offSince = null, failingSince = null } = (await this.#stateOf(name, endpoint)) ?? {}
      const isFailing = failingSince !== null && now - failingSince >= FAILING_MS
      if (offSince === null && !isFailing) continue
      if (offSince !== null) off += 1
      else failing += 1
      since = Math.min(since, offSince ?? now, failingSince ?? now)
    }
    if (off + failing === 0) return { state: "ok" }
    const reason = `alerts do not arrive: ${off} endpoints are switched off, ${failing} do not answer`
    return { state: "degraded", reason, since: new Date(since).toISOString() }
  }

  /** Null for an endpoint that was never tried at this URL. */
  async #stateOf(name: string, { url }: AlertEndpoint): Promise<EndpointState | null> {
    const state = await this.#queue.endpoint(name)
    return state?.url === url ? state : null
  }
}

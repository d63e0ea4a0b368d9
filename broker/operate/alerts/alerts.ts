import type { EventType } from "../../core/events/event-types.ts"
import { alertId, denialsRepeated, eventsOf, type RaisedEvent } from "../../core/events/from-record.ts"
import type { AlertEvent, EventData } from "../../core/events/schema.ts"
import type { QueuedAlert } from "../../ports/alert-queue.ts"
import type { Health, HealthCheck } from "../../ports/health.ts"
import type { ChainedRecord } from "../../ports/ledger.ts"
import type { Marks } from "../../ports/marks.ts"
import type { EndpointView } from "../../ports/outbound.ts"
import { type Attempt, deliver } from "./deliver.ts"
import { Endpoints, type EndpointTable } from "./endpoints.ts"
import { Sending, type SendingParts, type Undelivered } from "./sending.ts"

/** While the organisation file cannot be read, there is no address to send to. */
const WITHOUT_POLICIES_MS = 30_000

/**
 * Messages of one endpoint. The jobs of one unit can cause them all day, and an endpoint can be down for days: the queue must not
 * grow without an end. The record has what a message would have told.
 */
const MOST_WAITING = 10_000

/** So many denials of a unit in a row are an event, each of these numbers once. */
const DENIALS_IN_A_ROW: ReadonlySet<number> = new Set([10, 100, 1000])

export interface AlertParts extends SendingParts {
  /** The broker's URL. */
  readonly url: string
  readonly marks: Marks
  /** The endpoints of the organisation file in force. @throws {BrokerError} when there is none */
  endpoints(): Promise<EndpointTable>
  /** Parts of the broker whose trouble is an event. */
  readonly health: readonly HealthCheck[]
  /** Records what the broker does by itself. */
  record(reason: string): Promise<void>
}

/** New records of one ledger. */
interface Batch {
  readonly ledger: { readonly issuerUrl: string; readonly unitId: string }
  readonly records: readonly ChainedRecord[]
}

/**
 * Tells endpoints of events: by records, which it gets as a reader of the follower, and by the state of the broker's parts.
 *
 * A message is durable before it is sent, is sent at least once, and has the same id each time. Nothing that an exchange does
 * waits for it.
 */
export class Alerts implements HealthCheck {
  readonly name = "alerts"
  /** A broker that gets its first endpoint does not tell it the past. */
  readonly from = "now"
  readonly part = "alerts"
  readonly #parts: AlertParts
  readonly #endpoints: Endpoints
  readonly #sending: Sending
  /** Of each part, the trouble that was raised last. */
  readonly #raised = new Map<string, string>()
  #health: Health = { state: "ok" }

  constructor(parts: AlertParts) {
    this.#parts = parts
    this.#endpoints = new Endpoints(parts.queue, parts.clock)
    this.#sending = new Sending(parts, this.#endpoints, (undelivered) => this.#tell(undelivered))
  }

  look(): Promise<Health> {
    return Promise.resolve(this.#health)
  }

  /** Queues the events of new records. When this rejects, the same records come again, and give the same messages. */
  async take({ ledger: { issuerUrl, unitId }, records }: Batch): Promise<void> {
    const ledger = { issuer: issuerUrl, unit_id: unitId }
    const events = records.flatMap(({ record }) => eventsOf({ ledger, record: { ...record } }, this.#parts.url))
    const storeCount = await this.#countDenials(ledger, records, events)
    if (events.length > 0) await this.#queue(events)
    await storeCount()
  }

  /** Queues an event that has no record. `key` names what happened: the same key is the same message. */
  async raise<Type extends EventType>(type: Type, key: string, data: Omit<EventData<Type>, "broker">): Promise<void> {
    await this.#queue([this.#event(type, key, data)])
  }

  /** Sends one message to one endpoint now, and switches it on again when it takes the message. Null: no such endpoint. */
  async test(name: string): Promise<Attempt | null> {
    const endpoint = (await this.#parts.endpoints()).get(name)
    if (endpoint === undefined) return null
    const summary = "A test: an operator asked for this message."
    const { id, event } = this.#event("alert.test", crypto.randomUUID(), { summary, endpoint: name })
    const attempt = await deliver({ id, body: JSON.stringify(event) }, endpoint, this.#parts.clock.now(), this.#parts)
    await this.#endpoints.note(name, endpoint, attempt, true)
    return attempt
  }

  async view(): Promise<readonly EndpointView[]> {
    return await this.#endpoints.view(await this.#parts.endpoints())
  }

  /** Sends what is due. Returns when it wants to be called again, in Unix milliseconds; null: when there is something new. */
  async due(now: number): Promise<number | null> {
    const { queue } = this.#parts
    const table = await this.#parts.endpoints().catch(() => null)
    if (table === null) return now + WITHOUT_POLICIES_MS
    await this.#raiseHealth()
    const next = await queue.nextDue()
    if (next !== null && next <= now) await this.#sending.round(now, table)
    this.#health = await this.#endpoints.health(table)
    return await queue.nextDue()
  }

  /** Resolves when nothing is being sent. */
  idle(): Promise<void> {
    return this.#sending.idle()
  }

  /** Tells the other endpoints, and the record. Of a lost message of this very kind it tells none: two would tell each other. */
  async #tell({ message, reason, lost }: Undelivered): Promise<void> {
    const { id, endpoint, type } = message
    if (type !== "alert.failed") {
      const summary = `Alerts do not reach the endpoint ${endpoint}: ${reason}`
      await this.#queue(
        [this.#event("alert.failed", `${endpoint} ${id}`, { summary, endpoint, reason, lost })],
        endpoint,
      )
    }
    await this.#parts.record(`alert endpoint ${endpoint}: ${reason}`)
  }

  /** `data` is that of the type, without the broker. */
  #event(type: EventType, key: string, data: object): RaisedEvent {
    const { url, clock } = this.#parts
    const event = {
      type,
      timestamp: clock.now().toISOString(),
      data: { broker: url, ...data },
    } as unknown as AlertEvent
    return { id: alertId(type, key), event }
  }

  async #queue(events: readonly RaisedEvent[], except?: string): Promise<void> {
    const { queue, log, clock } = this.#parts
    const waiting = await queue.waiting()
    const messages: QueuedAlert[] = []
    for (const [name, endpoint] of await this.#parts.endpoints()) {
      if (name === except || (await this.#endpoints.isOff(name, endpoint))) continue
      const wanted = events.filter(({ event }) => endpoint.events?.includes(event.type) ?? true)
      const room = Math.max(0, MOST_WAITING - (waiting.get(name) ?? 0))
      if (wanted.length > room) {
        const detail = `${wanted.length - room} messages are lost: ${MOST_WAITING} wait for the endpoint ${name} already`
        log({ event: "alerts.failed", detail })
      }
      messages.push(
        ...wanted
          .slice(0, room)
          .map(({ id, event }) => ({ id, endpoint: name, type: event.type, body: JSON.stringify(event) })),
      )
    }
    await queue.add(messages, clock.now().getTime())
  }

  /**
   * Counts the denials of a unit in a row, over batches. Returns what stores the new count: after the events are queued, because
   * a batch that comes again must find the old one.
   */
  async #countDenials(
    ledger: { readonly issuer: string; readonly unit_id: string },
    records: readonly ChainedRecord[],
    events: RaisedEvent[],
  ): Promise<() => Promise<void>> {
    const { marks, url } = this.#parts
    const decided = records.filter(({ record: { event } }) => /^exchange\.(?:denied|minted)$/.test(event))
    if (decided.length === 0) return async () => {}
    const mark = `denials ${JSON.stringify([ledger.issuer, ledger.unit_id])}`
    const before = Number((await marks.read(mark)) ?? 0)
    let count = before
    for (const { record } of decided) {
      count = record.event === "exchange.denied" ? count + 1 : 0
      if (DENIALS_IN_A_ROW.has(count)) events.push(denialsRepeated({ ledger, record: { ...record } }, count, url))
    }
    return async () => {
      if (count !== before) await marks.write(mark, String(count))
    }
  }

  /** What is wrong with a part is one event, for as long as it lasts. */
  async #raiseHealth(): Promise<void> {
    for (const check of this.#parts.health) {
      const health = await check.look()
      if (health.state === "ok") continue
      const { state, reason, since } = health
      const key = `${check.part} ${since}`
      if (this.#raised.get(check.part) === key) continue
      const type = HEALTH_EVENTS[check.part] ?? "health.degraded"
      const more = type === "health.degraded" ? { part: check.part, state } : {}
      await this.#queue([this.#event(type, key, { summary: reason, since, reason, ...more })])
      this.#raised.set(check.part, key)
    }
  }
}

/** The parts whose trouble has an event of its own. */
const HEALTH_EVENTS: Readonly<Record<string, EventType>> = {
  __proto__: null as never,
  leases: "leases.overdue",
  policies: "policies.stale",
  checkpoints: "checkpoint.late",
  witnesses: "witness.unreachable",
  exports: "export.failing",
}

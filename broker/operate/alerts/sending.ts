import { reasonOf } from "../../core/reason-of.ts"
import type { AlertQueue, DueAlert } from "../../ports/alert-queue.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Log } from "../../ports/log.ts"
import { type DeliveryParts, deliver } from "./deliver.ts"
import type { Endpoints, EndpointTable } from "./endpoints.ts"
import { pauseAfter } from "./schedule.ts"

/** Messages that are sent at the same time: one slow receiver holds up few others. */
const AT_ONCE = 8
/** After this time, a message that was taken counts as not sent: longer than an attempt takes. */
const TAKEN_MS = 60_000
/** How long a round waits for its messages. What is not sent by then is sent beside the next round. */
const ROUND_MS = 3000
/** How long the id of a message is known after its end: longer than its attempts take together. */
const REMEMBERED_MS = 7 * 24 * 3600_000

export interface SendingParts extends DeliveryParts {
  readonly queue: AlertQueue
  readonly clock: Clock
  readonly log: Log
  /** 0 to 1. */
  random(): number
}

/** A message that will not arrive. `lost`: how many messages of the endpoint that are. */
export interface Undelivered {
  readonly message: DueAlert
  readonly reason: string
  readonly lost: number
}

/** Sends what is due in the queue, and decides what follows from how that ended. */
export class Sending {
  readonly #parts: SendingParts
  readonly #endpoints: Endpoints
  readonly #tell: (undelivered: Undelivered) => Promise<void>
  readonly #running = new Set<Promise<void>>()

  constructor(parts: SendingParts, endpoints: Endpoints, tell: (undelivered: Undelivered) => Promise<void>) {
    this.#parts = parts
    this.#endpoints = endpoints
    this.#tell = tell
  }

  /** Takes what is due and sends it, and waits for it for a short time. */
  async round(now: number, table: EndpointTable): Promise<void> {
    const { queue, log } = this.#parts
    const free = AT_ONCE - this.#running.size
    for (const message of free === 0 ? [] : await queue.take(now, now + TAKEN_MS, free)) {
      const sending = this.#send(message, table)
        .catch((error: unknown) => log({ event: "alerts.failed", detail: reasonOf(error) }))
        .finally(() => this.#running.delete(sending))
      this.#running.add(sending)
    }
    let timer: ReturnType<typeof setTimeout> | null = null
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, ROUND_MS)
    })
    await Promise.race([this.idle(), late])
    if (timer !== null) clearTimeout(timer)
  }

  /** Resolves when nothing is being sent. */
  async idle(): Promise<void> {
    await Promise.all(this.#running)
  }

  async #send(message: DueAlert, table: EndpointTable): Promise<void> {
    const { queue, clock, random } = this.#parts
    const endpoint = table.get(message.endpoint)
    const now = clock.now()
    const forgetAt = now.getTime() + REMEMBERED_MS
    if (endpoint === undefined) {
      // It is not in the organisation file any more, so it has no address.
      await queue.closeAll(message.endpoint, forgetAt)
      return
    }
    const attempt = await deliver(message, endpoint, now, this.#parts)
    await this.#endpoints.note(message.endpoint, endpoint, attempt, false)
    if (attempt.ended === "delivered") return await queue.close(message, forgetAt)
    if (attempt.ended === "gone") {
      const lost = await queue.closeAll(message.endpoint, forgetAt)
      return await this.#tell({ message, reason: "it answered 410 and was switched off", lost })
    }
    const attempts = message.attempts + 1
    const pause = pauseAfter(attempts, attempt.retryAfterMs, random())
    if (pause !== null) return await queue.retry(message, now.getTime() + pause)
    await queue.close(message, forgetAt)
    await this.#tell({ message, reason: `a message was given up after ${attempts} attempts: ${attempt.why}`, lost: 1 })
  }
}

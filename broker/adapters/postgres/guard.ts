import type { BrokerError } from "../../core/errors.ts"
import type { Health } from "../../ports/health.ts"
import type { Log } from "../../ports/log.ts"
import { FAULTS, type Fault, type FaultFound, faultOf, MOST_SERIOUS_FIRST, unavailable } from "./faults.ts"

const FAILED = "the database refused a statement"

/**
 * How long a full disk counts as full after its last failure, in milliseconds. Many transactions still find room in pages that
 * exist, so one that succeeds shows nothing.
 */
const FULL_FOR_MS = 10_000

/**
 * Knows whether the database can be relied on, and tells health and the log. A fault is over when a transaction has
 * committed, because only that shows it.
 */
export class DatabaseGuard {
  readonly #log: Log
  readonly #since = new Map<Fault, string>()
  /** Of `performance.now()`. */
  #fullUntil = 0

  constructor(log: Log) {
    this.#log = log
  }

  /** Notes why the database failed, and returns the error for the callers. */
  failed(cause: unknown): BrokerError {
    const fault = faultOf(cause)
    if (fault === null) return unavailable(FAILED, cause)
    if (fault === "full") this.#fullUntil = performance.now() + FULL_FOR_MS
    const { event, reason, remedy } = FAULTS[fault]
    if (!this.#since.has(fault)) {
      this.#since.set(fault, new Date().toISOString())
      this.#log({ event, detail: `${reason} What to do: ${remedy}.` })
    }
    return unavailable(reason, cause)
  }

  /** A transaction has committed. `undurable`: the database may still lose it. */
  committed(undurable: FaultFound | null): void {
    if (undurable) this.failed(undurable)
    const isFull = performance.now() < this.#fullUntil
    const over = [...this.#since.keys()].filter((fault) => fault !== undurable?.fault && !(isFull && fault === "full"))
    if (over.length === 0) return
    for (const fault of over) this.#since.delete(fault)
    const reasons = over.map((fault) => FAULTS[fault].reason).join(" ")
    const [rest] = this.#since.keys()
    const now = rest ? `still: ${FAULTS[rest].reason}` : "the broker grants again"
    this.#log({ event: "ledger.recovered", detail: `no longer so: ${reasons} Now: ${now}` })
  }

  get isTroubled(): boolean {
    return this.#since.size > 0
  }

  health(): Health {
    const fault = MOST_SERIOUS_FIRST.find((one) => this.#since.has(one))
    const since = fault && this.#since.get(fault)
    return fault && since ? { state: "unavailable", reason: FAULTS[fault].reason, since } : { state: "ok" }
  }
}

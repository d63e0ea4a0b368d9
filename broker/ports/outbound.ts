import type { EndpointState } from "./alert-queue.ts"

/** What an operator sees of an endpoint of alerts. `state` is null until the first attempt. */
export interface EndpointView {
  readonly name: string
  readonly url: string
  /** Messages that are not delivered yet. */
  readonly waiting: number
  readonly state: EndpointState | null
}

/** What an operator sees of an export. */
export interface ExportView {
  readonly name: string
  readonly kind: string
  /** ISO 8601, UTC; null: the last attempt has succeeded, or there was none. */
  readonly failingSince: string | null
  /** Our own sentence. */
  readonly lastFailure: string | null
}

/** What leaves the broker by itself, for operators. Where several processes follow the ledgers in turn: of this one. */
export interface OutboundDesk {
  /** @throws {BrokerError} while there is no organisation file, or the store cannot be read; so do the others */
  endpoints(): Promise<readonly EndpointView[]>
  exports(): Promise<readonly ExportView[]>
  /** Sends a test to an endpoint now. `failure`: why it did not arrive. Null: there is no such endpoint. */
  test(endpoint: string): Promise<{ readonly failure: string | null } | null>
}

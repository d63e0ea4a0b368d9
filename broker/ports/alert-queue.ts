/** One message for one endpoint. */
export interface QueuedAlert {
  /** `webhook-id`: the same for every attempt and, for the same event, the same after a restart. */
  readonly id: string
  /** The endpoint's name in the organisation file. */
  readonly endpoint: string
  readonly type: string
  /** The exact bytes that are signed and sent. */
  readonly body: string
}

export interface DueAlert extends QueuedAlert {
  /** How often it was tried. */
  readonly attempts: number
  /** Unix milliseconds. */
  readonly queuedAt: number
}

/** What is known of an endpoint. It belongs to the endpoint's URL: another URL begins anew. */
export interface EndpointState {
  readonly url: string
  /** Unix milliseconds: since when it is switched off; null: it is on. */
  readonly offSince: number | null
  /** Unix milliseconds: since when no attempt has succeeded; null: the last one has. */
  readonly failingSince: number | null
  /** Unix milliseconds; null: never. */
  readonly deliveredAt: number | null
  /** Why the last attempt failed: a status or our own words. */
  readonly lastFailure: string | null
}

/**
 * Alerts that wait for their delivery, durably.
 *
 * @throws {BrokerError} `ledger_unavailable` when the store cannot be read or written; nothing has changed then
 */
export interface AlertQueue {
  /** Does nothing for a message that the endpoint has or had in the last days. Due at once. */
  add(messages: readonly QueuedAlert[], now: number): Promise<void>
  /**
   * The messages that are due at `now`, oldest first, at most `limit`. They are due again at `until`: when a broker dies with
   * them, another attempt follows. All times in Unix milliseconds.
   */
  take(now: number, until: number, limit: number): Promise<readonly DueAlert[]>
  retry(message: Pick<QueuedAlert, "id" | "endpoint">, dueAt: number): Promise<void>
  /** Delivered, or given up. The id is remembered until `forgetAt`, so that the same event is not sent again. */
  close(message: Pick<QueuedAlert, "id" | "endpoint">, forgetAt: number): Promise<void>
  /** Closes all that waits for an endpoint. Returns how many messages that were. */
  closeAll(endpoint: string, forgetAt: number): Promise<number>
  /** When the next message is due; null without one. */
  nextDue(): Promise<number | null>
  /** How many messages wait for each endpoint. */
  waiting(): Promise<ReadonlyMap<string, number>>
  /** Null for an endpoint that was never tried. */
  endpoint(name: string): Promise<EndpointState | null>
  noteEndpoint(name: string, state: EndpointState): Promise<void>
}

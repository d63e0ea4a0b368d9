/**
 * What one request came to: filled along the way and written once, whatever happens. An allow-list: there is no field
 * that could hold a token, a secret, a claim that was not verified, or what another server wrote.
 */
export interface RequestEvent {
  readonly request_id: string
  route: string
  status?: number
  code?: string
  duration_ms?: number
  repository?: string
  repository_id?: string
  environment?: string | null
  run_id?: string
  grants?: readonly string[]
  lease?: string
  connection?: string
  /** What failed of ours, by class and place; never a message from outside. */
  fault?: string
}

/** What the broker says outside of requests: a reload, a sweep, a start. */
export interface BrokerEvent {
  readonly event:
    | "policies.loaded"
    | "policies.refused"
    | "leases.swept"
    | "broker.started"
    | "broker.stopping"
    | "sweep.failed"
  readonly detail: string
}

export type Log = (event: RequestEvent | BrokerEvent) => void

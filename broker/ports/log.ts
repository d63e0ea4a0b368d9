/**
 * The log entry of one request. It is filled along the way and written once, whatever happens. It is an allow-list: no
 * field can hold a token, a secret, an unverified claim, or text from another server.
 */
export interface RequestEvent {
  readonly request_id: string
  route: string
  status?: number
  code?: string
  duration_ms?: number
  unit_kind?: string
  unit?: string
  unit_id?: string
  environment?: string | null
  run_id?: string
  grants?: readonly string[]
  lease?: string
  connection?: string
  /** The class and place of a fault in our own code, or what is wrong with the settings; never a message from outside. */
  fault?: string
}

/** A log entry outside of requests: a reload, a sweep, a start. */
export interface BrokerEvent {
  readonly event:
    | "policies.loaded"
    | "policies.refused"
    | "policies.unsettled"
    | "policies.expired"
    | "policies.resumed"
    | "policies.differ"
    | "policies.agree"
    | "notices.unheard"
    | "notices.heard"
    | "leases.swept"
    | "broker.started"
    | "broker.stopping"
    | "sweep.failed"
    | "clock.jumped"
    | "clock.behind"
    | "revocation.failed"
    | "revocation.recorded"
    | "revocations.paused"
    | "leases.overdue"
    | "leases.in_time"
    | "ledger.rolled_back"
    | "ledger.unmarked"
    | "ledger.gone"
    | "ledger.damaged"
    | "ledger.locked"
    | "ledger.unwritable"
    | "ledger.full"
    | "ledger.undurable"
    | "ledger.unreachable"
    | "ledger.recovered"
    | "ledger.lock_renewed"
    | "settings.invalid"
    | "keys.unusable"
    | "keys.usable"
    | "keys.unkept"
    | "ledger.failed"
    | "ledger.replaced"
    | "alerts.failed"
    | "exports.failed"
    | "follow.failed"
    | "follow.rebuilt"
    | "checkpoint.signed"
    | "checkpoint.log_begun"
    | "checkpoint.refused"
    | "checkpoint.begun_late"
    | "archive.failed"
    | "record.rewritten"
  readonly detail: string
  /** The unit whose ledger it concerns, if it concerns one. */
  readonly issuer?: string
  readonly unit_id?: string
  readonly lease?: string
  readonly connection?: string
}

export type Log = (event: RequestEvent | BrokerEvent) => void

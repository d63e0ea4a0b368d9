/**
 * The events that an endpoint can be told of: stable names, in the form that Standard Webhooks asks for. An event is added to
 * this list, and never renamed or removed.
 */
export const EVENT_TYPES = [
  "token.replayed",
  "token.unbound",
  "leak.reported",
  "denials.repeated",
  "lease.left_open",
  "leases.overdue",
  "health.degraded",
  "operator.acted",
  "stop.ordered",
  "stop.lifted",
  "keys.changed",
  "record.rewritten",
  "break_glass.used",
  "policies.changed",
  "policies.stale",
  "checkpoint.late",
  "witness.unreachable",
  "export.failing",
  "alert.failed",
  "alert.test",
] as const

export type EventType = (typeof EVENT_TYPES)[number]

import * as z from "zod"
import type { EventType } from "./event-types.ts"

const text = z.string()
const texts = z.array(text)
const orNull = text.nullable()

/** In every event. */
const base = {
  broker: text.meta({ description: "The broker's URL." }),
  summary: text.meta({ description: "One sentence for people. Its words may change." }),
}

/** What a record of the audit trail says. Members are null where the record does not say it. */
const recorded = {
  ...base,
  ledger: z.object({ issuer: text, unit_id: text }).meta({ description: "Whose trail has the record." }),
  seq: z.int().meta({ description: "The record's number in that trail." }),
  event: text.meta({ description: "The record's own event." }),
  request_id: text,
  unit: orNull,
  owner: orNull,
  environment: orNull,
  ref: orNull,
  actor: orNull,
  actor_id: orNull,
  run_id: orNull,
  run_attempt: orNull,
  client_address: orNull,
  lease: orNull,
  grants: texts,
  connections: texts,
  resources: texts,
  reason: text,
}

/** What the broker sees at itself, without a record. */
const seen = { ...base, since: text.meta({ description: "ISO 8601, UTC." }), reason: text }

const record = z.object(recorded)
const state = z.object(seen)

/** What `data` is, for each type of event. Members are added, and never renamed or removed. */
export const EVENT_DATA = {
  "token.replayed": record.meta({ description: "A used token was sent again." }),
  "token.unbound": record.meta({ description: "A bound token was sent without its key: it was probably stolen." }),
  "leak.reported": record.meta({ description: "A credential that the broker gave was found where it must not be." }),
  "denials.repeated": z
    .object({ ...recorded, denials: z.int() })
    .meta({ description: "A unit was refused 10, 100 or 1,000 times in a row." }),
  "lease.left_open": record.meta({
    description: "A lease ended because its time was over: its job did not end it, or it could not be revoked before.",
  }),
  "leases.overdue": state.meta({ description: "Leases are over, and the broker has not ended them." }),
  "health.degraded": z
    .object({ ...seen, part: text, state: z.enum(["degraded", "unavailable"]) })
    .meta({ description: "A part of the broker, as /healthz names it, needs an operator." }),
  "operator.acted": record.meta({ description: "An operator is about to do what the reason says." }),
  "stop.ordered": record.meta({ description: "Something was stopped." }),
  "stop.lifted": record.meta({ description: "A stop was lifted." }),
  "keys.changed": record.meta({ description: "The broker's signing keys were changed." }),
  "record.rewritten": record.meta({ description: "A record is another one than the signed checkpoints have." }),
  "break_glass.used": record.meta({ description: "A job got a grant for emergencies." }),
  "policies.changed": record.meta({ description: "Other policies are in force." }),
  "policies.stale": state.meta({ description: "The policies in force are older than they may be." }),
  "checkpoint.late": state.meta({ description: "The record has no fresh checkpoint." }),
  "witness.unreachable": state.meta({ description: "A witness did not sign the checkpoint." }),
  "export.failing": state.meta({ description: "New records cannot be written to an export." }),
  "alert.failed": z
    .object({ ...base, endpoint: text, reason: text, lost: z.int() })
    .meta({ description: "An endpoint was switched off, or a message to it was given up. Sent to the others." }),
  "alert.test": z.object({ ...base, endpoint: text }).meta({ description: "An operator asked for this message." }),
} as const satisfies Readonly<Record<EventType, z.ZodType>>

export type EventData<Type extends EventType> = z.output<(typeof EVENT_DATA)[Type]>

/** An event as its endpoints get it: the form that Standard Webhooks asks for. */
export interface AlertEvent<Type extends EventType = EventType> {
  readonly type: Type
  /** When it happened: ISO 8601, UTC. */
  readonly timestamp: string
  readonly data: EventData<Type>
}

import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { type Facts, factsOf, type LedgerRecord } from "../export-formats/facts.ts"
import type { EventType } from "./event-types.ts"
import type { AlertEvent, EventData } from "./schema.ts"

/** An event with what makes it the same event when it is raised again. */
export interface RaisedEvent {
  readonly event: AlertEvent
  /** `webhook-id`. Receivers drop an id that they know. */
  readonly id: string
}

type Recorded = EventData<"token.replayed">

/** The events that are records of their own. */
const AS_RECORDED: ReadonlySet<string> = new Set([
  "token.replayed",
  "token.unbound",
  "leak.reported",
  "operator.acted",
  "stop.ordered",
  "stop.lifted",
  "keys.changed",
  "record.rewritten",
  "policies.changed",
] satisfies EventType[])

/** How the sweep's records say that a lease's time was over before its job had ended it. */
const LEFT_OPEN = /^(?:the granted time is over|expired: |expires-only: )/

/** In UTF-16 code units: an alert is read on a pager. The record has the whole text. */
const LONGEST_TEXT = 512

/** The events that a record is. Without those that need more than one record. */
export function eventsOf(from: LedgerRecord, broker: string): readonly RaisedEvent[] {
  const facts = factsOf(from)
  const place = `${facts.issuer} ${facts.unitId}`
  const raised = (type: EventType, key: string, summary: string) =>
    raise(type, key, facts, recordData(facts, broker, summary))
  const events: RaisedEvent[] = []
  if (AS_RECORDED.has(facts.event)) {
    const type = facts.event as EventType
    events.push(raised(type, `${place} ${facts.seq}`, SUMMARIES[type]?.(facts) ?? facts.reason))
  }
  const isBrokers = from.record["identity"] === null
  if (/^lease\.(?:closed|revoking)$/.test(facts.event) && isBrokers && LEFT_OPEN.test(facts.reason)) {
    // A revocation has several records; they are one event.
    const summary = `A lease of ${unitOf(facts)} was not ended by its job: ${facts.reason}`
    events.push(raised("lease.left_open", `${place} ${facts.lease}`, summary))
  }
  if (facts.event === "exchange.minted" && isBreakGlass(from.record["grants"])) {
    const summary = `A job of ${unitOf(facts)} got an emergency grant: ${facts.grants.map(({ name }) => name).join(", ")}`
    events.push(raised("break_glass.used", `${place} ${facts.seq}`, summary))
  }
  return events
}

/** The unit was refused so many times in a row; `from` is the last of these records. */
export function denialsRepeated(from: LedgerRecord, denials: number, broker: string): RaisedEvent {
  const facts = factsOf(from)
  const data = recordData(
    facts,
    broker,
    `${unitOf(facts)} was refused ${denials} times in a row, last: ${facts.reason}`,
  )
  return raise("denials.repeated", `${facts.issuer} ${facts.unitId} ${facts.seq}`, facts, { ...data, denials } as never)
}

/** The stable id of an event: `key` names what happened, once. */
export function alertId(type: EventType, key: string): string {
  return `msg_${bytesToHex(sha256(new TextEncoder().encode(`${type}\n${key}`))).slice(0, 32)}`
}

function raise(type: EventType, key: string, facts: Facts, data: Recorded): RaisedEvent {
  return { id: alertId(type, key), event: { type, timestamp: new Date(facts.at).toISOString(), data } as AlertEvent }
}

const SUMMARIES: Readonly<Partial<Record<EventType, (facts: Facts) => string>>> = {
  "token.replayed": (facts) => `A used token of ${unitOf(facts)} was sent again.`,
  "token.unbound": (facts) => `A bound token of ${unitOf(facts)} was sent without its key: it was probably stolen.`,
  "leak.reported": (facts) => `A value that lease ${facts.lease} gave was found where it must not be: ${facts.reason}`,
  "operator.acted": (facts) =>
    `An operator (${facts.actor || facts.unit || facts.unitId}) is about to do this: ${facts.reason}`,
}

function recordData(facts: Facts, broker: string, summary: string): Recorded {
  const or = (value: string) => (value === "" ? null : short(value))
  return {
    broker,
    summary: short(summary),
    ledger: { issuer: facts.issuer, unit_id: facts.unitId },
    seq: facts.seq,
    event: facts.event,
    request_id: facts.requestId,
    unit: or(facts.unit),
    owner: or(facts.owner),
    environment: or(facts.environment),
    ref: or(facts.ref),
    actor: or(facts.actor),
    actor_id: or(facts.actorId),
    run_id: or(facts.runId),
    run_attempt: or(facts.runAttempt),
    client_address: or(facts.clientAddress),
    lease: or(facts.lease),
    grants: facts.grants.map(({ name }) => short(name)),
    connections: facts.grants.map(({ connection }) => short(connection)),
    resources: facts.grants.map(({ resource }) => short(resource)),
    reason: short(facts.reason),
  }
}

const unitOf = ({ unit, unitId, runId }: Facts) => `${unit || unitId}${runId === "" ? "" : ` (run ${runId})`}`

/** Cut between code points, because half of a surrogate pair has no place in JSON. */
const short = (value: string): string =>
  value.length <= LONGEST_TEXT ? value : `${value.slice(0, LONGEST_TEXT - 1).toWellFormed()}…`

const isBreakGlass = (grants: unknown): boolean =>
  Array.isArray(grants) && grants.some((grant) => typeof grant === "object" && grant !== null && "break_glass" in grant)

import { parseDuration } from "../core/duration.ts"
import { BrokerError } from "../core/errors.ts"
import { visible } from "../core/policy/faults.ts"
import {
  isOver,
  isSameScope,
  MAX_REASON_CHARACTERS,
  MOST_BY_ALARMS,
  MOST_STOPS,
  readStops,
  STOPS_DOCUMENT,
  type Stop,
  type StopScope,
  scopeText,
  writeStops,
} from "../core/stops.ts"
import type { Broker } from "../exchange/broker.ts"
import type { Documents } from "../ports/documents.ts"
import { type OperatorAct, recordAct, recordOwnAct } from "./act.ts"
import { outOfSight } from "./operator.ts"
import { noteResumed } from "./resumed.ts"

/** What orders and lifts stops. */
export interface StopOffice {
  readonly broker: Pick<Broker, "stops" | "ledgers" | "clock" | "url">
  readonly documents: Documents
}

export interface StopOrder {
  readonly scope: StopScope
  /** As the operator wrote it. */
  readonly reason: string
  /** A duration; left out: until somebody resumes. */
  readonly for?: string
}

/** Other operators write at the same time, or a broker that alarms: each retry reads what they wrote. */
const ATTEMPTS = 10

/**
 * Orders a stop, recorded in the ledger of the operator's unit before it is in force. A stop of the same scope is replaced.
 *
 * @throws {BrokerError} `request_malformed`, `ledger_unavailable`
 */
export async function orderStop(order: StopOrder, act: OperatorAct, office: StopOffice): Promise<Stop> {
  const now = office.broker.clock.now()
  const stop: Stop = {
    ...order.scope,
    reason: readReason(order.reason),
    by: holderOf(act),
    at: now.toISOString(),
    until: endOf(order.for, now),
  }
  const tell = `${scopeText(stop)}, ${stop.until === null ? "until it is resumed" : `until ${stop.until}`}: ${stop.reason}`
  await change(
    office,
    (stops) => [...stops.filter((one) => !isSameScope(one, stop)), stop],
    () => recordAct(act, tell, office.broker, "stop.ordered"),
  )
  return stop
}

/**
 * Lifts the stop of exactly this scope.
 *
 * @throws {BrokerError} `not_allowed` when there is none, `ledger_unavailable`
 */
export async function liftStop(scope: StopScope, reason: string, act: OperatorAct, office: StopOffice): Promise<void> {
  const tell = `${scopeText(scope)}: ${readReason(reason)}`
  const without = (stops: readonly Stop[]) => {
    const left = stops.filter((one) => !isSameScope(one, scope))
    if (left.length === stops.length) throw outOfSight("stop")
    return left
  }
  const record = async () => {
    await recordAct(act, tell, office.broker, "stop.lifted")
    const { on, issuer, id } = scope
    if (on !== "unit" || issuer === undefined || id === undefined) return
    await noteResumed({ issuerUrl: issuer, unitId: id }, office.broker.clock.now(), office.documents)
  }
  await change(office, without, record)
}

/**
 * Orders a stop because of an alarm, recorded in the deployment's own ledger. A stop of the same scope stays as it is: an alarm
 * must not shorten what an operator ordered. Returns whether this alarm has stopped something.
 *
 * @throws {BrokerError} `ledger_unavailable`
 */
export async function stopByAlarm(
  stop: Pick<Stop, "reason" | "until"> & { readonly scope: StopScope; readonly alarm: string },
  office: StopOffice,
): Promise<boolean> {
  const { scope, alarm, reason, until } = stop
  const at = office.broker.clock.now().toISOString()
  const record = () => recordOwnAct("stop.ordered", `alarm ${alarm}: ${scopeText(scope)}: ${reason}`, office.broker)
  const next = (stops: readonly Stop[]) =>
    stops.some((one) => isSameScope(one, scope))
      ? null
      : [...stops, { ...scope, reason: readReason(reason), by: `alarm ${alarm}`, at, until }]
  return await change(office, next, record, MOST_BY_ALARMS)
}

/** The stops as they are stored now, without those that are over. @throws {BrokerError} `ledger_unavailable` */
export async function storedStops({ broker, documents }: StopOffice): Promise<readonly Stop[]> {
  return (await read(documents, broker.clock.now())).stops
}

/** Reads, changes and writes the list. `next` returns null to change nothing. The change is recorded before it is made. */
async function change(
  { broker, documents }: StopOffice,
  next: (stops: readonly Stop[]) => readonly Stop[] | null,
  record: () => Promise<void>,
  most = MOST_STOPS,
): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { version, stops } = await read(documents, broker.clock.now())
    const changed = next(stops)
    if (changed === null) return false
    if (changed.length > most) {
      const detail = `There are ${changed.length - 1} stops, and no room for one more: resume some, or stop an owner or an issuer.`
      throw new BrokerError("request_malformed", detail)
    }
    if (attempt === 0) await record()
    try {
      if (await documents.replace(STOPS_DOCUMENT, version, writeStops(changed))) return true
    } finally {
      // After a failure, too: nobody knows then whether it was written.
      broker.stops.expire()
    }
  }
  throw new BrokerError(
    "ledger_unavailable",
    "Others change the stops at the same time. Nothing was changed: try again.",
  )
}

async function read(documents: Documents, now: Date) {
  const { version, text } = await documents.read(STOPS_DOCUMENT)
  const stored = readStops(text)
  if (!stored.ok) {
    const detail = "Another version of Daypass wrote the stops. Run that version, or a later one, on every broker."
    throw new BrokerError("ledger_unavailable", detail)
  }
  return { version, stops: stored.value.filter((stop) => !isOver(stop, now.getTime())) }
}

/** For people: who it was. The record has the ids. */
function holderOf({ operator }: Pick<OperatorAct, "operator">): string {
  const { actor, unit } = operator.identity
  return `operator ${actor === null || actor === unit ? unit : `${actor} of ${unit}`}`
}

/** A reason, fit for a log and for every reader. @throws {BrokerError} `request_malformed` */
export function readReason(text: string): string {
  const reason = visible(text.trim())
  if (reason === "") throw new BrokerError("request_malformed", "Give a reason: every job that is refused reads it.")
  if (reason.length <= MAX_REASON_CHARACTERS) return reason
  throw new BrokerError("request_malformed", `A reason has at most ${MAX_REASON_CHARACTERS} characters.`)
}

function endOf(text: string | undefined, now: Date): string | null {
  if (text === undefined) return null
  const duration = parseDuration(text)
  if (!duration.ok) throw new BrokerError("request_malformed", `for: ${duration.fault}.`)
  return new Date(now.getTime() + duration.value * 1000).toISOString()
}

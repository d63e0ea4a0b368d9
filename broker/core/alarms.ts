import type { AuditRecord } from "./audit-record.ts"
import { BY_ID_ALONE } from "./leaked-value.ts"
import type { Alarm, AlarmKind, Alarms } from "./policy/schema-alarms.ts"

/** What is in a row must have happened within this time, in milliseconds. */
export const ROW_MS = 3_600_000

/** An alarm that rang, and the record that it rang at. */
export interface Rung {
  readonly kind: AlarmKind
  readonly alarm: Alarm
  readonly at: AuditRecord
}

const AT_ONCE: Readonly<Record<string, AlarmKind>> = {
  "token.replayed": "token_replayed",
  "token.unbound": "token_unbound",
  "leak.reported": "leak_reported",
}

type RowKind = "denials_in_a_row" | "lease_not_closed"

/**
 * What a record means for a row: it makes it longer, or it ends it; null: neither. A denial because of a stop is the alarm's own
 * effect. Where an exchange was interrupted, no job had a lease to close.
 */
function rowOf({ event, reason, identity }: AuditRecord): readonly [kind: RowKind, longer: boolean] | null {
  if (event === "exchange.denied") return reason.startsWith("stopped:") ? null : ["denials_in_a_row", true]
  if (event === "exchange.minted") return ["denials_in_a_row", false]
  if (event !== "lease.closed" || /^(?:failed|unknown):/.test(reason)) return null
  return ["lease_not_closed", identity === null]
}

/** Whether the broker ends this lease for a reason that is not its job's: a failed exchange, an operator, or a leak. */
const excuses = ({ event, reason }: AuditRecord): boolean =>
  event === "exchange.failed" ||
  (event === "lease.revoking" && /^(?:stopped \(|revoked by an operator:|leaked:)/.test(reason))

/** Whether a record can raise an alarm that counts. */
export const counts = (record: AuditRecord): boolean => rowOf(record)?.[1] === true

/**
 * The alarms that ring at records of one unit, in order, each at the first of them.
 *
 * @param before the records before them, for what is in a row; not more than an hour of them is needed
 * @param resumedAt Unix milliseconds: when an operator lifted a stop of this unit. What happened before it rings no more.
 */
export function rungBy(
  records: readonly AuditRecord[],
  before: readonly AuditRecord[],
  alarms: Alarms,
  resumedAt: number,
): readonly Rung[] {
  const rung = new Map<AlarmKind, Rung>()
  const ring = (kind: AlarmKind, at: AuditRecord) => {
    const alarm = alarms[kind]
    if (alarm !== undefined && !rung.has(kind)) rung.set(kind, { kind, alarm, at })
  }
  const rows: Record<RowKind, number[]> = { denials_in_a_row: [], lease_not_closed: [] }
  const excused = new Set<string | null>()
  for (const [index, record] of [...before, ...records].entries()) {
    const time = Date.parse(record.at)
    if (time < resumedAt) continue
    const isNew = index >= before.length
    const kind = AT_ONCE[record.event]
    if (isNew && kind !== undefined && !record.reason.endsWith(BY_ID_ALONE)) ring(kind, record)
    if (excuses(record)) excused.add(record.lease)
    const row = rowOf(record)
    if (row === null || (record.event === "lease.closed" && excused.has(record.lease))) continue
    const [of, longer] = row
    rows[of] = longer ? [...rows[of].filter((one) => time - one < ROW_MS), time] : []
    if (isNew && rows[of].length >= (alarms[of]?.count ?? Number.POSITIVE_INFINITY)) ring(of, record)
  }
  return [...rung.values()]
}

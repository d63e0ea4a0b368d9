import { counts, ROW_MS, type Rung, rungBy } from "../core/alarms.ts"
import { visible } from "../core/policy/faults.ts"
import type { Organisation } from "../core/policy/model.ts"
import type { Alarms } from "../core/policy/schema-alarms.ts"
import type { StopScope } from "../core/stops.ts"
import type { Broker } from "../exchange/broker.ts"
import { SETTLE_WINDOW_MS } from "../exchange/record.ts"
import type { LedgerKey } from "../ports/directory.ts"
import type { Documents } from "../ports/documents.ts"
import type { FollowedRecords, Reader } from "../ports/followed.ts"
import { STOP_IN_FORCE_SECONDS } from "../wire/stops.ts"
import { endLeases, type LeaseOffice } from "./end-leases.ts"
import { resumedAt } from "./resumed.ts"
import { stopByAlarm, storedStops } from "./stops.ts"

export interface AlarmOffice extends LeaseOffice {
  readonly broker: Pick<Broker, "stops" | "ledgers" | "clock" | "url" | "log" | "policySource">
  readonly documents: Documents
}

/** Records before a batch that are read for what is in a row: as many as an alarm can count, and what stands between them. */
const READ_BEFORE = 2000
/** An exchange that was admitted before the stop was known everywhere has minted by then, and can be ended. */
const END_FOR_MS = STOP_IN_FORCE_SECONDS * 1000 + SETTLE_WINDOW_MS + 15_000
const END_EVERY_MS = 5000

/**
 * Stops a unit because of what its record says, where the organisation file asks for it. It follows the record, so that no
 * exchange waits for it. An alarm concerns the unit of the record alone: nobody can stop another unit by raising one.
 */
export function createAlarms(office: AlarmOffice): Reader {
  const { broker } = office
  const inForce = async () => (await broker.policySource.snapshot()).organisation

  return {
    name: "alarms",
    // What happened before alarms were followed is history.
    from: "now",

    async take(batch) {
      const organisation = await inForce()
      if (organisation.alarms === undefined || !isListed(batch.ledger, organisation)) return
      for (const rung of await rungIn(batch, organisation.alarms, office)) await stopUnit(batch, rung, office)
    },

    /** Ends what leases hold that were opened while the stop was on its way. It is found in the stops, so a restart forgets none. */
    async due(now) {
      const ours = revoking((await inForce()).alarms ?? {})
      if (ours.size === 0) return null
      const young = (await storedStops(office)).filter(
        ({ by, at }) => ours.has(by) && now - Date.parse(at) < END_FOR_MS,
      )
      for (const { by, at, reason, ...scope } of young)
        await end(scopeOf(scope), `${by}: ${reason}`, Date.parse(at), office)
      return young.length === 0 ? null : now + END_EVERY_MS
    },
  }
}

/** Who orders stops that also end leases: as `by` of a stop. */
const revoking = (alarms: Alarms): ReadonlySet<string> =>
  new Set(Object.entries(alarms).flatMap(([kind, alarm]) => (alarm?.revoke === true ? [`alarm ${kind}`] : [])))

/** Not the deployment's own ledger, and not one of an issuer that is trusted no more. */
const isListed = ({ issuerUrl }: LedgerKey, { issuers }: Organisation) =>
  [...issuers.values()].some(({ url }) => url === issuerUrl)

async function rungIn(
  { ledger, records }: FollowedRecords,
  alarms: Alarms,
  office: AlarmOffice,
): Promise<readonly Rung[]> {
  const fresh = records.map(({ record }) => record)
  const first = fresh[0]?.seq ?? 1
  const isCounted = (alarms.denials_in_a_row ?? alarms.lease_not_closed) !== undefined && fresh.some(counts)
  const after = Math.max(0, first - 1 - READ_BEFORE)
  const before = isCounted
    ? await office.broker.ledgers.of(ledger.issuerUrl, ledger.unitId).auditTrail(after, first - 1 - after)
    : []
  const since = Date.parse(fresh[0]?.at ?? "") - ROW_MS
  const near = before.map(({ record }) => record).filter(({ at }) => Date.parse(at) >= since)
  if (rungBy(fresh, near, alarms, 0).length === 0) return []
  // Looked up only now: nearly no batch rings.
  return rungBy(fresh, near, alarms, await resumedAt(ledger, office.documents))
}

async function stopUnit({ ledger }: FollowedRecords, { kind, alarm, at }: Rung, office: AlarmOffice): Promise<void> {
  const { issuerUrl: issuer, unitId: id, unit } = ledger
  const scope: StopScope = { on: "unit", issuer, id, name: unit ?? id }
  const now = office.broker.clock.now().getTime()
  const until = alarm.for === undefined ? null : new Date(now + alarm.for * 1000).toISOString()
  // Cut after the escapes, which make a text longer: a reason that is refused would come again for ever.
  const reason = visible(`${at.event}: ${at.reason}`).slice(0, 200).toWellFormed()
  const isNew = await stopByAlarm({ scope, alarm: kind, reason, until }, office)
  if (isNew && alarm.revoke === true) await end(scope, `alarm ${kind}: ${reason}`, now, office)
}

async function end(scope: StopScope, reason: string, since: number, office: AlarmOffice): Promise<void> {
  await endLeases({ scope, reason, requestId: crypto.randomUUID(), since, after: null }, office)
}

const scopeOf = ({ on, issuer = "", id = "", name = "" }: StopScope): StopScope => ({ on, issuer, id, name })

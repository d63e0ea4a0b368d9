import { brokersDraft } from "../core/audit-record.ts"
import { reasonOf } from "../core/reason-of.ts"
import { concernsUnit, type StopScope, scopeText } from "../core/stops.ts"
import type { Broker } from "../exchange/broker.ts"
import { SETTLE_WINDOW_MS } from "../exchange/record.ts"
import type { Directory, LedgerKey } from "../ports/directory.ts"
import { type EndLeasesAnswer, STOP_IN_FORCE_SECONDS } from "../wire/stops.ts"

/** Ledgers of one call: at the edge, each is a request to an object. */
const LEDGERS_AT_ONCE = 100
/** Leases of one transaction: some milliseconds. */
const LEASES_AT_ONCE = 500
/** A ledger's open leases are told to the directory seconds later, and by a quiet edge at the latest after some minutes. */
const TOLD_LATE_MS = 10 * 60_000

export interface LeaseOffice {
  readonly broker: Pick<Broker, "ledgers" | "clock" | "log">
  readonly directory: Directory
  /** Begins to revoke what is due now, where no ledger does it by itself. */
  sweepSoon?(): void
}

export interface LeasesToEnd {
  readonly scope: StopScope
  /** Why and by whom, for the records. */
  readonly reason: string
  readonly requestId: string
  /** Unix milliseconds: when what is ended here was stopped. */
  readonly since: number
  /** Where the call before ended; null: from the start. */
  readonly after: string | null
}

type Counts = { -readonly [Name in "ended" | "revoking" | "under_way" | "unreached"]: number } & {
  expiring: { leases: number; until: number }
}

/**
 * Ends what a scope's leases hold, for a part of the ledgers. Credentials that can be revoked are due at once, with a record in
 * the ledger of their unit; others are only counted.
 *
 * An exchange that was admitted before a stop was known everywhere may mint a moment later. So the caller asks again until
 * nothing of that time is under way.
 *
 * @throws {BrokerError} `ledger_unavailable` when the directory cannot be read
 */
export async function endLeases(wanted: LeasesToEnd, office: LeaseOffice): Promise<EndLeasesAnswer> {
  const { ledgers, next } = await ledgersOf(wanted, office)
  const counts: Counts = { ended: 0, revoking: 0, under_way: 0, unreached: 0, expiring: { leases: 0, until: 0 } }
  for (const key of ledgers) {
    try {
      await endLeasesOf(key, wanted, counts, office.broker)
    } catch (error) {
      // The others must not wait for one that fails. The caller sees that one is missing.
      counts.unreached += 1
      const detail = `leases could not be ended: ${reasonOf(error)}`
      office.broker.log({ event: "sweep.failed", detail, issuer: key.issuerUrl, unit_id: key.unitId })
    }
  }
  if (counts.ended > 0) office.sweepSoon?.()
  const { leases, until } = counts.expiring
  return { ...counts, expiring: { leases, until: leases === 0 ? null : new Date(until).toISOString() }, next }
}

/** The ledgers that may have such leases. A unit's own needs no directory. */
async function ledgersOf({ scope, after }: LeasesToEnd, { broker, directory }: LeaseOffice) {
  const { on, issuer, id } = scope
  if (issuer !== undefined && id !== undefined && on !== "owner") {
    return { ledgers: [{ issuerUrl: issuer, unitId: id }], next: null }
  }
  const page = await directory.list({ ...(after === null ? {} : { after }), limit: LEDGERS_AT_ONCE })
  const recently = broker.clock.now().getTime() - TOLD_LATE_MS
  const ledgers = page.ledgers.filter(
    ({ issuerUrl, unitId, ownerId, openLeases, latestAt }) =>
      (openLeases > 0 || latestAt >= recently) && concernsUnit(scope, { issuerUrl, unitId, ownerId: ownerId ?? "" }),
  )
  return { ledgers, next: page.next }
}

async function endLeasesOf(
  { issuerUrl, unitId }: LedgerKey,
  { scope, reason, requestId, since }: LeasesToEnd,
  counts: Counts,
  { ledgers, clock }: LeaseOffice["broker"],
): Promise<void> {
  const ledger = ledgers.of(issuerUrl, unitId)
  const { on, name = "" } = scope
  const at = clock.now()
  const audit = brokersDraft("lease.revoking", {
    at,
    requestId,
    lease: null,
    reason: `stopped (${scopeText(scope)}): ${reason}`,
  })
  const only = on === "connection" ? { connection: name } : on === "grant" ? { grant: name } : {}
  const underWayBy = since + STOP_IN_FORCE_SECONDS * 1000 + SETTLE_WINDOW_MS
  for (let after: string | null = ""; after !== null; ) {
    const page: Awaited<ReturnType<typeof ledger.cutShort>> = await ledger.cutShort({
      ...only,
      ...{ after, limit: LEASES_AT_ONCE, underWayBy, now: at.getTime(), audit },
    })
    counts.ended += page.ended
    counts.revoking += page.revoking
    counts.under_way += page.underWay
    counts.expiring.leases += page.expiring.leases
    counts.expiring.until = Math.max(counts.expiring.until, page.expiring.until)
    after = page.next
  }
}

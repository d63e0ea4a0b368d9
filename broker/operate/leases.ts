import { type AuditRecord, brokersDraft } from "../core/audit-record.ts"
import type { OperatorScope } from "../core/operator-rights.ts"
import { covers } from "../core/operator-scope.ts"
import type { Broker } from "../exchange/broker.ts"
import { SETTLE_WINDOW_MS } from "../exchange/record.ts"
import type { LedgerKey } from "../ports/directory.ts"
import type { OpenLease } from "../ports/ledger.ts"
import type { RecordIndex } from "../ports/record-index.ts"
import type { LeaseAnswer, RevokeLeaseAnswer } from "../wire/leases.ts"
import { type OperatorAct, recordAct } from "./act.ts"
import { outOfSight } from "./operator.ts"
import { recordScopeOf } from "./record-scope.ts"

export interface LeaseDesk {
  readonly broker: Pick<Broker, "ledgers" | "clock" | "policySource">
  readonly index: RecordIndex
  /** Begins to revoke what is due now, where no ledger does it by itself. */
  sweepSoon?(): void
}

/** The records of a lease are a few; the one of its exchange is among the oldest. */
const RECORDS_OF_A_LEASE = 50

/**
 * A lease that an operator may see.
 *
 * @throws {BrokerError} `not_allowed` for one that does not exist, that the record does not show yet, or that is out of scope
 */
export async function leaseFor(id: string, { scope }: { readonly scope: OperatorScope }, desk: LeaseDesk) {
  const { organisation } = await desk.broker.policySource.snapshot()
  const found = await desk.index.search({
    lease: id,
    scope: recordScopeOf(scope, organisation),
    limit: RECORDS_OF_A_LEASE,
  })
  const opening = found.found.findLast(({ record }) => record.identity !== null && record.grants.length > 0)
  const { identity } = opening?.record ?? {}
  if (opening === undefined || !identity) throw outOfSight("lease")
  const { issuerUrl, unitId, record } = opening
  const target = {
    issuerUrl,
    unitId,
    ownerId: identity.owner_id,
    connections: record.grants.map(({ connection }) => connection),
  }
  // The index holds to the scope, too. What is shown and ended here must not depend on it alone.
  if (!covers(scope, target, organisation.issuers)) throw outOfSight("lease")
  const open = await openLease({ issuerUrl, unitId }, id, desk.broker)
  return { key: { issuerUrl, unitId }, record, open }
}

/** The lease with what of it has not ended; null when all has. */
async function openLease(
  { issuerUrl, unitId }: LedgerKey,
  id: string,
  { ledgers }: LeaseDesk["broker"],
): Promise<OpenLease | null> {
  // Ids are in order, so this page begins right before it.
  const [next] = await ledgers.of(issuerUrl, unitId).openLeases(justBefore(id), 1)
  return next?.lease === id ? next : null
}

/** The greatest text that no id of a lease lies between it and `id`: ids end in a hex digit of lower case. */
const justBefore = (id: string): string => {
  const last = id.at(-1) ?? ""
  const lower = last === "a" ? "9" : String.fromCharCode(last.charCodeAt(0) - 1)
  return last === "0" ? id.slice(0, -1) : `${id.slice(0, -1)}${lower}`
}

export function leaseAnswer(
  lease: string,
  { key, record, open }: { readonly key: LedgerKey; readonly record: AuditRecord; readonly open: OpenLease | null },
): LeaseAnswer {
  const { identity } = record
  return {
    lease,
    ledger: { issuer: key.issuerUrl, unit_id: key.unitId },
    unit: identity?.unit ?? "",
    environment: identity?.environment ?? null,
    run_id: identity?.run_id ?? "",
    run_attempt: identity?.run_attempt ?? "",
    actor: identity?.actor ?? null,
    at: record.at,
    open: open !== null,
    credentials: (open?.credentials ?? []).map(({ grant, connection, provider, revocation, expiresAt }) => ({
      ...{ grant, connection, provider, revocation },
      expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    })),
  }
}

/**
 * Ends one lease before its time. Recorded twice: the operator's act before it is done, and the end in the lease's own ledger.
 *
 * @throws {BrokerError} `not_allowed`, as `leaseFor`; `ledger_unavailable`
 */
export async function revokeLease(
  id: string,
  reason: string,
  act: OperatorAct,
  desk: LeaseDesk,
): Promise<RevokeLeaseAnswer> {
  const { key } = await leaseFor(id, act.operator, desk)
  await recordAct(act, `revoke lease ${id}: ${reason}`, desk.broker)
  return await endLease(key, { lease: id, reason: `revoked by an operator: ${reason}`, requestId: act.requestId }, desk)
}

/**
 * Ends one lease of a ledger before its time, recorded there with the reason.
 *
 * @throws {BrokerError} `ledger_unavailable`
 */
export async function endLease(
  key: LedgerKey,
  { lease, reason, requestId }: { readonly lease: string; readonly reason: string; readonly requestId: string },
  desk: Pick<LeaseDesk, "broker" | "sweepSoon">,
): Promise<RevokeLeaseAnswer> {
  const { broker } = desk
  const at = broker.clock.now()
  const now = at.getTime()
  const outcome = await broker.ledgers.of(key.issuerUrl, key.unitId).cutShort({
    leases: [lease],
    after: "",
    limit: 1,
    underWayBy: now + SETTLE_WINDOW_MS,
    now,
    audit: brokersDraft("lease.revoking", { at, requestId, lease, reason }),
  })
  if (outcome.ended > 0) desk.sweepSoon?.()
  const { leases, until } = outcome.expiring
  return {
    lease,
    revoking: outcome.ended + outcome.revoking > 0,
    under_way: outcome.underWay > 0,
    expires_at: leases === 0 ? null : new Date(until).toISOString(),
  }
}

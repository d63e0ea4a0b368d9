// Long because the whole interface of a ledger is read in one place.

import type { AuditDraft } from "../../core/audit-record.ts"
import { BrokerError } from "../../core/errors.ts"
import type {
  Admission,
  AdmissionOutcome,
  ArchiveOrder,
  ChainedRecord,
  DueLease,
  EarlyEnd,
  EarlyEndOutcome,
  HandleChange,
  LeaseCredential,
  LeaseCredentialState,
  LeaseOfRun,
  LeaseOpening,
  LedgerCut,
  MintedAdmission,
  OpenLease,
  Preparation,
  RevocationRequest,
  RevocationSettlement,
  RevocationStart,
  Settlement,
  Standing,
  Suspicion,
  SweptLedger,
} from "../../ports/ledger.ts"
import type { Way } from "../../ports/sql.ts"
import type { WaitUntil } from "../../ports/sweeping.ts"
import type { TokenUse } from "../../ports/token-use.ts"
import { admit, deny } from "./admit.ts"
import { archive } from "./archive.ts"
import { isAlive } from "./credential-ends.ts"
import { cutShort } from "./cut-short.ts"
import { lookDue, move, takeDue, unknown } from "./due.ts"
import {
  endedEarly,
  failed,
  isBusy,
  isClosed,
  isOvertaken,
  type Lease,
  minted,
  opened,
  prepared,
  revocationAsked,
  revocationBegun,
  revocationEnded,
} from "./lease-states.ts"
import type { OpenLedger } from "./open-ledger.ts"
import { readCounts, standingOf } from "./quotas.ts"
import type { LedgerKey, StoredLease, Touched } from "./rows.ts"
import type { LedgerStore } from "./store.ts"
import { endedEarlyKey, forgottenAt, keysOf } from "./used-tokens.ts"

/**
 * The ledger of one unit in any store.
 *
 * Every change of state and its audit record are one transaction, so that one never exists without the other.
 */
export class RecordedLedger implements SweptLedger {
  readonly #store: LedgerStore
  readonly #key: LedgerKey

  constructor(store: LedgerStore, key: LedgerKey) {
    this.#store = store
    this.#key = key
  }

  admit(admission: Admission): Promise<AdmissionOutcome> {
    const { now, lease: opening } = admission
    return this.#write(now, "out", touchedBy(admission), (ledger) =>
      opening ? admit(admission, opening, storedAs(opening), ledger) : deny(admission, ledger),
    )
  }

  admitMinted({ credentials, ...admission }: MintedAdmission): Promise<AdmissionOutcome> {
    const { now, lease: opening } = admission
    const lease = { ...storedAs(opening), ...minted(opened(opening), allAlive(credentials)) }
    return this.#write(now, "out", touchedBy(admission), (ledger) => admit(admission, opening, lease, ledger))
  }

  prepare({ lease: id, credential, unknownUntil, now }: Preparation): Promise<void> {
    return this.#write(now, "out", ofLease(id), (ledger) => {
      const lease = ledger.lease(id)
      ledger.leases.write(lease, prepared({ ...lease, unknownUntil }, alive(credential)))
    })
  }

  settle(settlement: Settlement): Promise<void> {
    const now = Date.parse(settlement.audit.at)
    // What was minted is handed out only with a record in storage that can be relied on.
    const way = settlement.outcome === "minted" ? "out" : "back"
    return this.#write(now, way, ofLease(settlement.lease), (ledger) => {
      const before = ledger.lease(settlement.lease)
      const credentials = allAlive(settlement.credentials)
      const after = settlement.outcome === "minted" ? minted(before, credentials) : failed(before, credentials, now)
      move(before, after, ledger)
      ledger.append(settlement.audit)
    })
  }

  beginRevocation(request: RevocationRequest): Promise<RevocationStart> {
    const { now, token, limits } = request
    const touched = { ...ofLease(request.lease), tokens: [...keysOf(token), endedEarlyKey(request)] }
    return this.#write(now, "back", touched, (ledger): RevocationStart => {
      const found = ledger.leases.find(request.lease)
      const lease = found && isOf(found, request) ? found : null
      // Another call is revoking it, or it waits for its next attempt.
      const isTaken = lease?.state === "revoking" && lease.dueAt > now
      const after = lease && asked(lease, isTaken, now)
      const isIdle = after === lease
      const isUncounted = () => ledger.isOverDenials(limits) || ledger.tokens.outcomeOf(token) === "used-up"
      if (isIdle && isUncounted()) ledger.countDenial()
      else if (ledger.useToken(token, request.replayAudit, limits, !isIdle) !== "used")
        return { outcome: "already-used" }
      else if (isIdle) {
        ledger.recordDenial(found && !lease ? request.foreignAudit : null, limits)
        // A row, too: beyond the limit, an exchange that is still on its way is ended by the sweep only.
        if (!found) ledger.tokens.endEarly(request, token)
      }
      if (!lease || !after) return { outcome: "not-found" }
      const { credentials, unknownUntil } = lease
      if (isClosed(lease.state)) return { outcome: "done", credentials, ...interrupted(unknownUntil) }
      if (!isIdle) {
        move(lease, after, ledger)
        ledger.append(request.audit)
      }
      if (lease.state === "open") return { outcome: "open", credentials, unknownUntil }
      const waiting = isBusy(lease, now) ? "busy" : "done"
      return { outcome: isTaken ? waiting : "begun", credentials: after.credentials, ...interrupted(unknownUntil) }
    })
  }

  settleRevocation(settlement: RevocationSettlement): Promise<void> {
    return this.#write(settlement.now, "back", ofLease(settlement.lease), (ledger) => {
      const lease = ledger.lease(settlement.lease)
      // This attempt took too long, and another one has already recorded the outcome.
      if (isOvertaken(lease)) return
      if (lease.state !== "revoking") throw new BrokerError("internal", "this lease's revocation was never begun")
      endRevocation(lease, settlement, ledger)
    })
  }

  look(request: LeaseOfRun): Promise<readonly LeaseCredentialState[] | null> {
    return this.#read(ofLease(request.lease), null, (ledger) => {
      const lease = ledger.leases.find(request.lease)
      if (!lease || !isOf(lease, request)) return null
      // Its exchange may be running. Only a record keeps it from handing out what it mints.
      if (lease.state === "open") throw new BrokerError("ledger_unavailable", "this lease cannot be ended now")
      return lease.credentials
    })
  }

  recordRevocation(settlement: RevocationSettlement): Promise<void> {
    return this.#write(settlement.now, "back", ofLease(settlement.lease), (ledger) => {
      const lease = ledger.lease(settlement.lease)
      if (isClosed(lease.state)) return
      const begun = revocationBegun(lease, settlement.now)
      ledger.leases.write(lease, begun)
      endRevocation({ ...lease, ...begun }, settlement, ledger)
    })
  }

  suspect({ token, now, limits, audit }: Suspicion): Promise<void> {
    return this.#write(now, "out", { ...NOTHING, tokens: keysOf(token) }, (ledger) => {
      if (ledger.tokens.isTooOld(token)) return
      // Its mark is a row, too.
      if (ledger.isOverDenials(limits)) return ledger.countDenial()
      if (!ledger.tokens.markOnce("token.unbound", token)) return
      ledger.dueBy(forgottenAt(token.expiresAt))
      ledger.recordDenial(audit, limits)
    })
  }

  standing(now: number): Promise<Standing> {
    return this.#read(NOTHING, standingOf(readCounts(""), now), (ledger) => standingOf(ledger.counts, now))
  }

  openLeases(after: string, limit: number): Promise<readonly OpenLease[]> {
    return this.#read({ ...NOTHING, notClosed: { after, limit } }, [], (ledger) =>
      ledger.leases.notClosed(after, limit).map(({ id, credentials }) => ({
        lease: id,
        credentials: credentials.filter(isAlive).map(({ ended: _, ...credential }) => credential),
      })),
    )
  }

  cutShort(order: EarlyEnd): Promise<EarlyEndOutcome> {
    const { leases, after, limit } = order
    const touched = leases === undefined ? { ...NOTHING, notClosed: { after, limit } } : { ...NOTHING, leases }
    return this.#write(order.now, "back", touched, (ledger) => cutShort(order, ledger))
  }

  replaceHandles(changes: readonly HandleChange[], now: number): Promise<void> {
    const touched = { ...NOTHING, leases: [...new Set(changes.map(({ lease }) => lease))] }
    return this.#write(now, "back", touched, (ledger) => {
      for (const id of touched.leases) {
        const lease = ledger.leases.find(id)
        if (!lease) continue
        const credentials = lease.credentials.map((one) => withNewHandle(one, id, changes))
        if (credentials.some((one, index) => one !== lease.credentials[index])) {
          ledger.leases.write(lease, { ...lease, credentials })
        }
      }
    })
  }

  useProof(token: TokenUse, now: number): Promise<boolean> {
    return this.#write(now, "back", { ...NOTHING, tokens: keysOf(token) }, (ledger) => {
      // However many there were: an operator must be able to stop things.
      if (ledger.tokens.isTooOld(token) || ledger.tokens.use(token, true) !== "used") return false
      ledger.dueBy(forgottenAt(token.expiresAt))
      return true
    })
  }

  append(audit: AuditDraft): Promise<void> {
    return this.#write(Date.parse(audit.at), "back", NOTHING, (ledger) => ledger.append(audit))
  }

  takeDue(now: number, limit: number, waitUntil?: WaitUntil): Promise<readonly DueLease[]> {
    const touched = { ...NOTHING, due: { now, limit } }
    return this.#write(now, "back", touched, (ledger) => takeDue({ now, limit }, ledger, waitUntil))
  }

  lookDue(now: number, limit: number): Promise<readonly DueLease[]> {
    return this.#read({ ...NOTHING, due: { now, limit } }, [], (ledger) => lookDue({ now, limit }, ledger))
  }

  auditTrail(after: number, limit: number): Promise<readonly ChainedRecord[]> {
    return this.#store.trail(this.#key, after, limit)
  }

  archive(order: ArchiveOrder): Promise<boolean> {
    return this.#write(order.now, "back", { ...NOTHING, archive: order.upTo }, (ledger) => archive(order, ledger))
  }

  archived(): Promise<LedgerCut | null> {
    return this.#read<LedgerCut | null>({ ...NOTHING, archive: 0 }, null, (ledger) => {
      const cut = ledger.archive.cut()
      return cut && { seq: cut.seq, chain: cut.chain, edge: cut.edge }
    })
  }

  #write<Value>(now: number, way: Way, touched: Touched, work: (ledger: OpenLedger) => Value): Promise<Value> {
    return this.#store.write(this.#key, touched, way, (ledger) => {
      ledger.observe(now)
      return work(ledger)
    })
  }

  #read<Value>(touched: Touched, nothing: Value, work: (ledger: OpenLedger) => Value): Promise<Value> {
    return this.#store.read(this.#key, touched, (ledger) => (ledger ? work(ledger) : nothing))
  }
}

const NOTHING: Touched = { tokens: [], leases: [], grants: [] }
const ofLease = (id: string): Touched => ({ ...NOTHING, leases: [id] })

function touchedBy({ token, lease }: Admission): Touched {
  if (!lease) return { ...NOTHING, tokens: keysOf(token) }
  const { id, runId, runAttempt, limited } = lease
  return {
    tokens: [...keysOf(token), endedEarlyKey({ lease: id, runId, runAttempt })],
    leases: [id],
    grants: limited.map(({ key }) => key),
  }
}

const storedAs = (opening: LeaseOpening): StoredLease => {
  const { id, runId, runAttempt } = opening
  return { ...opened(opening), id, runId, runAttempt }
}

/** A newly minted credential, without a known end. Copies only the stored members. */
const alive = (credential: LeaseCredential): LeaseCredentialState => ({
  grant: credential.grant,
  connection: credential.connection,
  provider: credential.provider,
  revocation: credential.revocation,
  expiresAt: credential.expiresAt,
  grantedUntil: credential.grantedUntil,
  sealedHandle: credential.sealedHandle,
  ended: null,
})

/** The same object when nothing changes. */
function withNewHandle(credential: LeaseCredentialState, lease: string, changes: readonly HandleChange[]) {
  const { grant, sealedHandle } = credential
  const change = changes.find((one) => one.lease === lease && one.grant === grant && one.before === sealedHandle)
  return change ? { ...credential, sealedHandle: change.after } : credential
}

const allAlive = (credentials: readonly LeaseCredential[]): readonly LeaseCredentialState[] =>
  credentials.map(alive).sort((one, other) => (one.grant < other.grant ? -1 : 1))

/** Writes the outcomes of one attempt, and its record. */
function endRevocation(lease: StoredLease, settlement: RevocationSettlement, ledger: OpenLedger): void {
  const after = revocationEnded(lease, settlement.outcomes, settlement.now)
  move(lease, after, ledger)
  const event = isClosed(after.state) ? "lease.closed" : "lease.revoking"
  const reason = lease.unknownUntil > 0 ? `${settlement.audit.reason}; ${unknown(lease)}` : settlement.audit.reason
  ledger.append({ ...settlement.audit, event, reason })
}

/** Until when credentials may live that an interrupted exchange minted and nobody can revoke; left out when there are none. */
const interrupted = (unknownUntil: number) => (unknownUntil > 0 ? { unknownUntil } : {})

/** The lease after its job has asked to end it. The same object when that changes nothing. */
function asked(lease: StoredLease, isTaken: boolean, now: number): Lease {
  if (isClosed(lease.state)) return lease
  if (lease.state === "open") return endedEarly(lease, now)
  return (isTaken ? revocationAsked : revocationBegun)(lease, now)
}

/** Only the run and attempt that opened a lease can end it. */
function isOf(lease: StoredLease, request: LeaseOfRun): boolean {
  return lease.runId === request.runId && lease.runAttempt === request.runAttempt
}

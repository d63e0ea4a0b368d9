import { type AuditDraft, brokersDraft } from "../core/audit-record.ts"
import type { DueLease, SweptLedger } from "../ports/ledger.ts"
import type { Broker } from "./broker.ts"
import { ConnectionQueues } from "./connection-queues.ts"
import { endCredentials, isRecorded, summary } from "./revoke.ts"
import type { Revoking } from "./revoke-all.ts"

/** How many leases are revoked for one ledger while it cannot be written. Their records are kept in memory. */
const UNWRITTEN_AT_MOST = 500

/** A ledger with its unit, for which its handles are sealed. */
export interface SweepTarget {
  readonly ledger: SweptLedger
  readonly issuerUrl: string
  readonly unitId: string
}

/** What a visit of a ledger came to. */
export interface Visit {
  /** How many leases it began to revoke. What only expired is closed already, and not counted. */
  readonly revoking: number
  /** False while the ledger cannot be written: its leases stay due. */
  readonly isWritten: boolean
}

/**
 * Ends leases whose time is over and that no job has ended, because the runner died or a provider could not be reached.
 * Also revokes single credentials whose granted time is over, even while their job is still running.
 *
 * Needs no policies and no connection. While a ledger cannot be written, it revokes what it can read, and records later.
 */
export class Sweep {
  readonly #broker: Broker
  readonly #queues: ConnectionQueues
  readonly #running = new Set<Promise<void>>()

  constructor(broker: Broker) {
    this.#broker = broker
    this.#queues = new ConnectionQueues(broker)
  }

  /**
   * Ends at most `limit` due leases of one ledger. Does not wait for vendors: `ended` does.
   *
   * @throws {BrokerError} `ledger_unavailable` when the ledger cannot be read either; the leases stay due
   */
  async visit(target: SweepTarget, limit: number): Promise<Visit> {
    const { owed, clock } = this.#broker
    if (owed.size > 0) await owed.pay()
    const now = clock.now().getTime()
    const { leases, isWritten } = await target.ledger.takeDue(now, limit, this.#queues.waits(now)).then(
      (taken) => ({ leases: taken, isWritten: true }),
      async () => ({ leases: await this.#unpaid(target, now), isWritten: false }),
    )
    const ending = leases.map((lease) => this.#start(this.#end(lease, target, isWritten)))
    // These stay due: the next visit would ask for them again while they are being revoked.
    if (!isWritten) await Promise.all(ending)
    return { revoking: leases.length, isWritten }
  }

  /** Resolves when every revocation that was begun has come to its end. Rejects with the first failure of a record. */
  async ended(): Promise<void> {
    await Promise.all(this.#running)
  }

  /** Whether leases in storage wait for a busy vendor. Each of them is due as soon as the vendor should have time for it. */
  hasPostponed(): boolean {
    return this.#queues.hasPostponed()
  }

  #start(ending: Promise<void>): Promise<void> {
    const settled = ending.finally(() => this.#running.delete(settled))
    this.#running.add(settled)
    // A failure is told to whoever waits, and must not end the process where nobody does.
    settled.catch(() => {})
    return settled
  }

  async #end({ lease, credentials }: DueLease, target: SweepTarget, isWritten: boolean): Promise<void> {
    const { ledger, issuerUrl, unitId } = target
    const { clock, owed } = this.#broker
    const of = { lease, issuerUrl, unitId }
    const queued = this.#queues.revoking()
    const tried = { yes: 0, no: 0 }
    const revoking: Revoking = async (connection, act) => {
      const ended = await queued(connection, act)
      tried[ended === "left-out" ? "no" : "yes"] += 1
      return ended
    }
    const outcomes = await endCredentials(credentials, of, this.#broker, revoking)
    // Nothing happened that could be recorded. The lease is due again when the pause after its attempt is over.
    if (tried.no > 0 && tried.yes === 0) return
    const at = clock.now()
    const audit = sweptDraft(lease, summary(outcomes), at)
    const settlement = { lease, outcomes, now: at.getTime(), audit }
    const recorded = isWritten && (await isRecorded(ledger.settleRevocation(settlement)))
    if (!recorded) owed.keep(of, settlement)
  }

  /** Without the leases that were revoked already, and of which only the record is missing: they stay due. */
  async #unpaid({ ledger, issuerUrl, unitId }: SweepTarget, now: number): Promise<readonly DueLease[]> {
    const { owed } = this.#broker
    const looked = await ledger.lookDue(now, UNWRITTEN_AT_MOST + owed.size)
    return looked.filter(({ lease }) => !owed.has({ lease, issuerUrl, unitId })).slice(0, UNWRITTEN_AT_MOST)
  }
}

/** One visit of one ledger, and everything that it began. */
export async function sweepOnce(target: SweepTarget, broker: Broker, limit: number): Promise<Visit> {
  const sweep = new Sweep(broker)
  const visit = await sweep.visit(target, limit)
  await sweep.ended()
  return visit
}

const sweptDraft = (lease: string, outcome: string, at: Date): AuditDraft =>
  brokersDraft("lease.closed", { at, requestId: crypto.randomUUID(), lease, reason: `ended by the broker: ${outcome}` })

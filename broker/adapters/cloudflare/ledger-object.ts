// Long because the object offers each method of the port by itself, and tells its own alarm what is due.

import { DurableObject } from "cloudflare:workers"
import type { AuditDraft } from "../../core/audit-record.ts"
import { lateness } from "../../core/lateness.ts"
import type { LedgerHead } from "../../ports/directory.ts"
import type {
  Admission,
  AdmissionOutcome,
  ArchiveOrder,
  ChainedRecord,
  EarlyEnd,
  EarlyEndOutcome,
  HandleChange,
  LeaseCredentialState,
  LeaseOfRun,
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
import type { Reading, Transact, Way } from "../../ports/sql.ts"
import type { TokenUse } from "../../ports/token-use.ts"
import { RecordedLedger } from "../ledger/recorded-ledger.ts"
import type { LedgerKey } from "../ledger/rows.ts"
import { KeptBatch } from "../sqlite/batch.ts"
import { migrate } from "../sqlite/schema.ts"
import { headsAfter, overdueLeases } from "../sqlite/sqlite-rows.ts"
import { SqliteStore } from "../sqlite/sqlite-store.ts"
import { birthOf, settleBirth, tellReplacement } from "./birth.ts"
import type { Meeting } from "./guards.ts"
import { type LedgerMethods, ledgerObjectName } from "./ledgers.ts"
import { consoleLog } from "./log.ts"
import { type Answer, answer, reasonOf, unitOf } from "./rpc.ts"
import { sha256 } from "./sha256.ts"
import { ObjectSql } from "./sql.ts"

/** The pause after a failed sweep, and after one that could write nothing. */
const SWEEP_AGAIN_MS = 60_000
const SWEEP_PAUSE_MS = 1000
/** The shortest pause between two words to the directory, and the longest after words that were lost: each loss doubles it. */
const TELL_EVERY_MS = 5000
const TELL_AGAIN_MS = 5 * 60_000

/**
 * The ledger of one unit: a Durable Object with its own SQLite, named by the issuer and the unit's id.
 *
 * Calls carry the ledger's name, because an object cannot read the name that its id was made from. Each call is one
 * synchronous transaction, so no other call runs between its reads and its writes. The runtime holds back every answer
 * until the writes before it are durable.
 */
export abstract class LedgerObject<Env = unknown> extends DurableObject<Env> implements LedgerMethods {
  readonly #state: DurableObjectState
  readonly #sql: ObjectSql
  readonly #open = new KeptBatch()
  #migrated = false
  /** Whether the deployment's guards know this object. */
  #isMet = false
  /** The time of the alarm that is set, in Unix milliseconds; null when unknown. */
  #alarmAt: number | null = null
  /** No sweep begins before this time, in Unix milliseconds: leases that stay due must not set an alarm with every call. */
  #notBefore = 0
  /** When the directory was last told, in Unix milliseconds, and of which row of the record. */
  #toldAt = 0
  #toldRow = 0
  /** Words that were lost, one after another, and when the alarm tells again, in Unix milliseconds; null: nothing was lost. */
  #lostWords = 0
  #tellAgainAt: number | null = null
  /** When this object last told that leases are overdue, in Unix milliseconds. */
  #toldOverdueAt = 0

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#state = state
    this.#sql = new ObjectSql(state.storage)
  }

  /**
   * Ends what is due: takes it from `ledger`, revokes it through the providers and settles it. Called by the alarm. Returns
   * false when the ledger could not be written, so that what was due stays due.
   *
   * The entry implements it, because an adapter knows no providers.
   */
  protected abstract sweep(ledger: SweptLedger, key: LedgerKey): Promise<boolean>

  /** Tells the deployment's directory how far this ledger is. The entry implements it. */
  protected abstract tell(heads: readonly LedgerHead[]): Promise<void>

  /** Introduces this object to the deployment's guards. The entry implements it with the key ring's object. */
  protected abstract meet(name: string, birth: string): Promise<Meeting>

  admit(key: LedgerKey, admission: Admission): Promise<Answer<AdmissionOutcome>> {
    return answer(() => this.#ledger(key).admit(admission), key)
  }

  admitMinted(key: LedgerKey, admission: MintedAdmission): Promise<Answer<AdmissionOutcome>> {
    return answer(() => this.#ledger(key).admitMinted(admission), key)
  }

  prepare(key: LedgerKey, preparation: Preparation): Promise<Answer<void>> {
    return answer(() => this.#ledger(key).prepare(preparation), key)
  }

  settle(key: LedgerKey, settlement: Settlement): Promise<Answer<void>> {
    return answer(() => this.#ledger(key).settle(settlement), key)
  }

  beginRevocation(key: LedgerKey, request: RevocationRequest): Promise<Answer<RevocationStart>> {
    return answer(() => this.#ledger(key).beginRevocation(request), key)
  }

  settleRevocation(key: LedgerKey, settlement: RevocationSettlement): Promise<Answer<void>> {
    return answer(() => this.#ledger(key).settleRevocation(settlement), key)
  }

  look(key: LedgerKey, lease: LeaseOfRun): Promise<Answer<readonly LeaseCredentialState[] | null>> {
    return answer(() => this.#ledger(key).look(lease), key)
  }

  recordRevocation(key: LedgerKey, settlement: RevocationSettlement): Promise<Answer<void>> {
    return answer(() => this.#ledger(key).recordRevocation(settlement), key)
  }

  suspect(key: LedgerKey, suspicion: Suspicion): Promise<Answer<void>> {
    return answer(() => this.#ledger(key).suspect(suspicion), key)
  }

  standing(key: LedgerKey, now: number): Promise<Answer<Standing>> {
    return answer(() => this.#ledger(key).standing(now), key)
  }

  openLeases(key: LedgerKey, after: string, limit: number): Promise<Answer<readonly OpenLease[]>> {
    return answer(() => this.#ledger(key).openLeases(after, limit), key)
  }

  cutShort(key: LedgerKey, order: EarlyEnd): Promise<Answer<EarlyEndOutcome>> {
    return answer(() => this.#ledger(key).cutShort(order), key)
  }

  replaceHandles(key: LedgerKey, changes: readonly HandleChange[], now: number): Promise<Answer<void>> {
    return answer(() => this.#ledger(key).replaceHandles(changes, now), key)
  }

  useProof(key: LedgerKey, token: TokenUse, now: number): Promise<Answer<boolean>> {
    return answer(() => this.#ledger(key).useProof(token, now), key)
  }

  append(key: LedgerKey, audit: AuditDraft): Promise<Answer<void>> {
    return answer(() => this.#ledger(key).append(audit), key)
  }

  auditTrail(key: LedgerKey, after: number, limit: number): Promise<Answer<readonly ChainedRecord[]>> {
    return answer(() => this.#ledger(key).auditTrail(after, limit), key)
  }

  archive(key: LedgerKey, order: ArchiveOrder): Promise<Answer<boolean>> {
    return answer(() => this.#ledger(key).archive(order), key)
  }

  archived(key: LedgerKey): Promise<Answer<LedgerCut | null>> {
    return answer(() => this.#ledger(key).archived(), key)
  }

  override async alarm(): Promise<void> {
    // First of all, because the runtime deletes the alarm that fires: whatever fails below, this one is set. If it cannot be
    // set, the error goes to the runtime, which fires the old alarm again.
    await this.#setAlarmAt(Date.now() + SWEEP_AGAIN_MS)
    try {
      // What is still due is more than one alarm may do: the next one goes on at once.
      this.#notBefore = (await this.#sweepAll()) ? 0 : Date.now() + SWEEP_PAUSE_MS
      if (this.#tellAgainAt !== null && Date.now() >= this.#tellAgainAt) this.#tellNow()
      await this.#setAlarmAnew()
    } catch (error) {
      // Never thrown on: the runtime stops after six failures, and the leases would never end. A schema that is newer than
      // this code, as after a rollback of the Worker, lasts longer than that.
      consoleLog({ event: "sweep.failed", detail: reasonOf(error), ...this.#units()[0] })
      this.#notBefore = Date.now() + SWEEP_AGAIN_MS
    }
  }

  async #sweepAll(): Promise<boolean> {
    this.#tellOverdue()
    let goesOn = true
    for (const key of this.#keys()) goesOn = (await this.sweep(this.#ledger(key), key)) && goesOn
    return goesOn
  }

  /** An object knows only its own leases. So each one that is behind says so itself. */
  #tellOverdue(): void {
    const now = Date.now()
    const detail = now < this.#toldOverdueAt + SWEEP_AGAIN_MS ? null : lateness(overdueLeases(this.#sql, now), now)
    if (detail === null) return
    this.#toldOverdueAt = now
    consoleLog({ event: "leases.overdue", detail, ...this.#units()[0] })
  }

  #ledger(key: LedgerKey): RecordedLedger {
    const transact: Transact = async (work, way) => {
      this.#migrate()
      await this.#introduce(key, way)
      return await this.#transact(work)
    }
    return new RecordedLedger(new SqliteStore({ sql: this.#sql, transact, reading: this.#reading, sha256 }), key)
  }

  readonly #reading: Reading = async (work) => {
    this.#migrate()
    return work()
  }

  readonly #transact: Transact = async (work) => {
    const value = this.#open.run((inside) => this.#sql.transaction(inside), work)
    this.#tellDirectory()
    // In the same turn as the transaction: the runtime makes both durable, or neither.
    await this.#setAlarmBy(this.#open.dueAt)
    return value
  }

  /** No call waits for it. The directory looks by itself for what comes in the pause. */
  #tellDirectory(): void {
    if (Date.now() >= this.#toldAt + TELL_EVERY_MS) this.#tellNow()
  }

  #tellNow(): void {
    const { heads, row } = headsAfter(this.#sql, this.#toldRow)
    this.#tellAgainAt = null
    if (heads.length === 0) return
    this.#toldAt = Date.now()
    this.tell(heads).then(
      () => {
        this.#toldRow = row
        this.#lostWords = 0
      },
      () => this.#tellLater(),
    )
  }

  /** By the alarm: there may be no later transaction, and the last record would be followed by nobody. */
  #tellLater(): void {
    this.#tellAgainAt = Date.now() + Math.min(TELL_EVERY_MS * 2 ** this.#lostWords, TELL_AGAIN_MS)
    this.#lostWords += 1
    // If it cannot be set, a later call tells.
    this.#setAlarmBy(this.#tellAgainAt).catch(() => {})
  }

  /** Before the first grant. The way back does not wait for it: it ends what is there, and gives nothing away. */
  async #introduce(key: LedgerKey, way: Way = "out"): Promise<void> {
    if (this.#isMet) return
    const birth = this.#sql.transaction(() => birthOf(this.#sql))
    if (birth !== null) {
      if (way === "back") return
      const meeting = await this.meet(ledgerObjectName(key), birth)
      this.#sql.transaction(() => settleBirth(this.#sql, birth, meeting, Date.now()))
      // It has changed which tokens are taken.
      this.#open.forget()
      if (meeting.isReplacement) tellReplacement(key, consoleLog)
    }
    this.#isMet = true
  }

  /** Runs on the first call instead of in the constructor, so that a failure is answered like any other. */
  #migrate(): void {
    if (this.#migrated) return
    migrate(this.#sql)
    this.#migrated = true
  }

  /** Whose ledger this is, for the log; empty when that cannot be read. */
  #units(): readonly ReturnType<typeof unitOf>[] {
    try {
      return this.#keys().map(unitOf)
    } catch {
      return []
    }
  }

  #keys(): readonly LedgerKey[] {
    this.#migrate()
    return this.#sql
      .all<{ issuer: string; repository_id: string }>("SELECT issuer, repository_id FROM ledgers")
      .map(({ issuer, repository_id }) => ({ issuerUrl: issuer, unitId: repository_id }))
  }

  /** Sets the alarm to the next due time, whatever alarm is set. */
  async #setAlarmAnew(): Promise<void> {
    const [row] = this.#sql.all<{ due: number | null }>("SELECT min(due_at) AS due FROM ledgers")
    const times = [row?.due ?? null, this.#tellAgainAt].filter((at) => at !== null)
    this.#alarmAt = null
    if (times.length === 0) await this.#state.storage.deleteAlarm()
    else await this.#setAlarmBy(Math.min(...times))
  }

  /** Sets the alarm to `due`, unless an earlier alarm is set. */
  async #setAlarmBy(due: number | null): Promise<void> {
    if (due === null) return
    const time = Math.max(due, this.#notBefore)
    if (this.#alarmAt === null || time < this.#alarmAt) await this.#setAlarmAt(time)
  }

  async #setAlarmAt(time: number): Promise<void> {
    this.#alarmAt = time
    try {
      await this.#state.storage.setAlarm(time)
    } catch (error) {
      // Unknown now: the next call sets it again.
      this.#alarmAt = null
      throw error
    }
  }
}

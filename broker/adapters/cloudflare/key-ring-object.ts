import { DurableObject } from "cloudflare:workers"
import type { Documents, StoredDocument } from "../../ports/documents.ts"
import type { KeyRing, StoredKey, StoredKeys } from "../../ports/key-ring.ts"
import type { Reading, Transact } from "../../ports/sql.ts"
import { transactAlone } from "../sqlite/batch.ts"
import { SqlDocuments } from "../sqlite/documents.ts"
import { SqlKeyRing } from "../sqlite/key-ring.ts"
import { readMark, SqlMarks, writeMark } from "../sqlite/marks.ts"
import { migrate } from "../sqlite/schema.ts"
import { type Meeting, SINCE, StoredGuards } from "./guards.ts"
import type { KeyRingMethods } from "./ledgers.ts"
import { consoleLog } from "./log.ts"
import { type Answer, answer, reasonOf } from "./rpc.ts"
import { ObjectSql } from "./sql.ts"

/** How often the object looks at what is due with its keys. Nothing about keys is due in less than hours. */
const KEEP_EVERY_MS = 60 * 60_000

/**
 * The deployment's signing keys, in one Durable Object, so that two isolates never make two first keys; and its marks, with
 * which the loss of another part is noticed; and its documents.
 */
export abstract class KeyRingObject<Env = unknown> extends DurableObject<Env> implements KeyRingMethods {
  readonly #sql: ObjectSql
  readonly #ring: SqlKeyRing
  readonly #marks: SqlMarks
  readonly #documents: SqlDocuments
  readonly #guards: StoredGuards
  readonly #transact: Transact
  readonly #state: DurableObjectState
  #migrated = false
  #isAlarmSet = false

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#state = state
    this.#sql = new ObjectSql(state.storage)
    const prepared = () => {
      if (this.#migrated) return
      migrate(this.#sql)
      this.#sql.transaction(() => this.#guards.begin(Date.now()))
      this.#migrated = true
    }
    const alone = transactAlone(this.#sql)
    const transact: Transact = async (work) => {
      prepared()
      return await alone(work)
    }
    const reading: Reading = async (work) => {
      prepared()
      return work()
    }
    this.#ring = new SqlKeyRing(this.#sql, transact)
    this.#transact = transact
    this.#guards = new StoredGuards(
      (name) => readMark(this.#sql, name),
      (name, value) => writeMark(this.#sql, name, value),
    )
    this.#marks = new SqlMarks(this.#sql, transact, reading)
    this.#documents = new SqlDocuments(this.#sql, transact, reading)
  }

  readDocument(name: string): Promise<Answer<StoredDocument>> {
    return answer(() => this.#documents.read(name))
  }

  replaceDocument(name: string, expectedVersion: number, text: string): Promise<Answer<boolean>> {
    return answer(() => this.#documents.replace(name, expectedVersion, text))
  }

  /** Does what is due with the keys. The entry implements it, because an adapter knows no states of keys. */
  protected abstract keep(ring: KeyRing, documents: Documents): Promise<void>

  /** Never throws: the runtime gives up an alarm that fails again and again, and the keys would never be rotated. */
  override async alarm(): Promise<void> {
    // First of all, because the runtime deletes the alarm that fires.
    await this.#setAlarm()
    try {
      await this.keep(this.#ring, this.#documents)
    } catch (error) {
      consoleLog({ event: "keys.unkept", detail: reasonOf(error) })
    }
  }

  async #setAlarm(): Promise<void> {
    await this.#state.storage.setAlarm(Date.now() + KEEP_EVERY_MS)
    this.#isAlarmSet = true
  }

  readMark(name: string): Promise<Answer<string | null>> {
    return answer(() => this.#marks.read(name))
  }

  writeMark(name: string, value: string): Promise<Answer<void>> {
    return answer(() => this.#marks.write(name, value))
  }

  read(): Promise<Answer<StoredKeys>> {
    return answer(async () => {
      const keys = await this.#ring.read()
      // Every isolate reads the keys when it starts: so the first one of a deployment sets the alarm.
      if (!this.#isAlarmSet && (await this.#state.storage.getAlarm()) === null) await this.#setAlarm()
      this.#isAlarmSet = true
      return keys
    })
  }

  replace(expectedVersion: number, keys: readonly StoredKey[]): Promise<Answer<boolean>> {
    return answer(() => this.#ring.replace(expectedVersion, keys))
  }

  raiseFloor(publishedAt: string): Promise<Answer<boolean>> {
    return answer(() => this.#transact(() => this.#guards.raiseFloor(publishedAt)))
  }

  meetLedger(name: string, birth: string): Promise<Answer<Meeting>> {
    return answer(() => this.#transact(() => this.#guards.meetLedger(name, birth)))
  }

  fixJurisdiction(wanted: string): Promise<Answer<string>> {
    return answer(() => this.#transact(() => this.#guards.fixJurisdiction(wanted, this.#isInUse())))
  }

  /** Whether this object has made keys, or remembers something of a deployment. */
  #isInUse(): boolean {
    const uses = "SELECT 1 AS used FROM key_ring WHERE version > 0 UNION ALL SELECT 1 FROM marks WHERE name <> ?"
    return this.#sql.all(uses, SINCE).length > 0
  }
}

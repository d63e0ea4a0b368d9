import { DurableObject } from "cloudflare:workers"
import type { StoredKey, StoredKeys } from "../../ports/key-ring.ts"
import { SqlKeyRing } from "../sqlite/key-ring.ts"
import { migrate } from "../sqlite/schema.ts"
import type { KeyRingMethods } from "./ledgers.ts"
import { type Meeting, StoredMarks } from "./marks.ts"
import { type Answer, answer } from "./rpc.ts"
import { ObjectSql } from "./sql.ts"

/**
 * The deployment's signing keys, in one Durable Object, so that two isolates never make two first keys; and its marks, with
 * which the loss of another part is noticed.
 */
export class KeyRingObject<Env = unknown> extends DurableObject<Env> implements KeyRingMethods {
  readonly #sql: ObjectSql
  readonly #ring: SqlKeyRing
  readonly #marks: StoredMarks
  #migrated = false

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#sql = new ObjectSql(state.storage)
    this.#marks = new StoredMarks(state.storage.kv)
    this.#ring = new SqlKeyRing(this.#sql, async (work) => {
      if (!this.#migrated) migrate(this.#sql)
      this.#migrated = true
      return this.#sql.transaction(work)
    })
  }

  read(): Promise<Answer<StoredKeys>> {
    return answer(() => this.#ring.read())
  }

  replace(expectedVersion: number, keys: readonly StoredKey[]): Promise<Answer<boolean>> {
    return answer(() => this.#ring.replace(expectedVersion, keys))
  }

  raiseFloor(publishedAt: string): Promise<Answer<boolean>> {
    return answer(async () => this.#marks.raiseFloor(publishedAt))
  }

  meetLedger(name: string): Promise<Answer<Meeting>> {
    return answer(async () => this.#marks.meetLedger(name, Date.now()))
  }
}

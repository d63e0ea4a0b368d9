import { DurableObject } from "cloudflare:workers"
import type { CheckpointSource } from "../../ports/checkpoints.ts"
import type { Directory, LedgerHead } from "../../ports/directory.ts"
import type { Counts } from "../../ports/metrics.ts"
import type { OutboundDesk } from "../../ports/outbound.ts"
import type { RecordIndex } from "../../ports/record-index.ts"
import type { Sql } from "../../ports/sql.ts"
import type { DirectoryMethods, DirectoryWork } from "./directory.ts"
import { consoleLog } from "./log.ts"
import { type Answer, answer, reasonOf } from "./rpc.ts"
import { ObjectSql } from "./sql.ts"

/** The pause after a round that failed: it doubles up to the longest, which also follows a round that was cut off. */
const FIRST_PAUSE_MS = 2000
const AGAIN_MS = 60_000

/**
 * The deployment's directory and index: one Durable Object, which ledgers tell when they have grown, and which then reads them.
 * No exchange waits for it. When it is lost, it is filled again.
 */
export abstract class DirectoryObject<Env = unknown> extends DurableObject<Env> implements DirectoryMethods {
  readonly #state: DurableObjectState
  #work: DirectoryWork | undefined
  /** Rounds that failed, one after another. */
  #failures = 0

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    this.#state = state
  }

  /** The entry implements it, because an adapter knows no readers. */
  protected abstract open(sql: Sql): Promise<DirectoryWork>

  report(heads: readonly LedgerHead[]): Promise<Answer<void>> {
    return this.#answer(async (work) => {
      const due = await work.report(heads)
      const set = await this.#state.storage.getAlarm()
      if (set === null || due < set) await this.#state.storage.setAlarm(due)
    })
  }

  list(...args: Parameters<Directory["list"]>) {
    return this.#answer((work) => work.list(...args))
  }

  entry(...args: Parameters<Directory["entry"]>) {
    return this.#answer((work) => work.entry(...args))
  }

  search(...args: Parameters<RecordIndex["search"]>) {
    return this.#answer((work) => work.search(...args))
  }

  hours(...args: Parameters<RecordIndex["hours"]>) {
    return this.#answer((work) => work.hours(...args))
  }

  lastUse(...args: Parameters<RecordIndex["lastUse"]>) {
    return this.#answer((work) => work.lastUse(...args))
  }

  count(counts: Counts) {
    return this.#answer((work) => work.count(counts))
  }

  counted() {
    return this.#answer((work) => work.counted())
  }

  totals() {
    return this.#answer((work) => work.totals())
  }

  latest() {
    return this.#answer((work) => work.latest())
  }

  policy() {
    return this.#answer((work) => work.policy())
  }

  since(...args: Parameters<CheckpointSource["since"]>) {
    return this.#answer((work) => work.since(...args))
  }

  prove(...args: Parameters<CheckpointSource["prove"]>) {
    return this.#answer((work) => work.prove(...args))
  }

  signReport(...args: Parameters<CheckpointSource["signReport"]>) {
    return this.#answer((work) => work.signReport(...args))
  }

  endpoints() {
    return this.#answer((work) => work.endpoints())
  }

  exports() {
    return this.#answer((work) => work.exports())
  }

  test(...args: Parameters<OutboundDesk["test"]>) {
    return this.#answer((work) => work.test(...args))
  }

  override async alarm(): Promise<void> {
    const { storage } = this.#state
    // Set before anything can fail. A report during the round may set an earlier one, which must stay.
    await storage.setAlarm(Date.now() + AGAIN_MS)
    try {
      const due = await (await this.#opened()).follow()
      const set = await storage.getAlarm()
      const isReported = set !== null && set < Date.now() + AGAIN_MS / 2
      if (due === null && !isReported) await storage.deleteAlarm()
      else if (due !== null && (set === null || due < set)) await storage.setAlarm(Math.max(due, Date.now()))
      this.#failures = 0
    } catch (error) {
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, AGAIN_MS)
      this.#failures += 1
      const detail = `the ledgers are not followed for ${pause / 1000} s: ${reasonOf(error)}`
      consoleLog({ event: "follow.failed", detail })
      await storage.setAlarm(Date.now() + pause)
    }
  }

  #answer<Value>(ask: (work: DirectoryWork) => Promise<Value>): Promise<Answer<Value>> {
    return answer(async () => await ask(await this.#opened()))
  }

  async #opened(): Promise<DirectoryWork> {
    if (this.#work) return this.#work
    const { storage } = this.#state
    // A second call may open it once more: both work on the same storage.
    this.#work = await this.open(new ObjectSql(storage))
    // What was left undone goes on, and a new directory learns which ledgers there are.
    if ((await storage.getAlarm()) === null) await storage.setAlarm(Date.now())
    return this.#work
  }
}

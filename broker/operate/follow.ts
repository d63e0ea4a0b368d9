import { reasonOf } from "../core/reason-of.ts"
import type { LedgerEntry, LedgerHead, LedgerKey } from "../ports/directory.ts"
import type { Reader } from "../ports/followed.ts"
import type { ChainedRecord } from "../ports/ledger.ts"
import type { FollowerParts, Round } from "./follower-parts.ts"
import { idOf, isSame, namesIn, unitOf } from "./ledger-names.ts"

export type { FollowedRecords, Reader } from "../ports/followed.ts"
export type { FollowerParts, Round } from "./follower-parts.ts"

/** Records of one batch: half a megabyte in memory, and a few milliseconds of a reader's work. */
const BATCH_RECORDS = 250
/** Ledgers that one look for work takes: none waits until another with a long history has been read to its end. */
const LEDGERS_AT_ONCE = 100
/** The pauses of a reader that failed: they double up to the longest. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 5 * 60_000
/** The pause of a ledger that could not be read. */
const UNREAD_PAUSE_MS = 15_000

/** One reader at work. */
interface Following {
  reader: Reader
  /** Unix milliseconds: for a reader from `now`, older records are not its business. */
  since: number
  failures: number
  /** Unix milliseconds. */
  pausedUntil: number
  /** Ledgers whose records it could not take: how often, and until when it takes others only, in Unix milliseconds. */
  readonly held: Map<string, { readonly failures: number; readonly until: number }>
}

/**
 * Hands the records of all ledgers to readers, a moment after they were made. So an exchange waits for none of them, and what a
 * reader could not take it gets again. Its places are durable; a reader that fails holds up no other.
 */
export class Follower {
  readonly #parts: FollowerParts
  #followings: readonly Following[] | null = null
  /** Of readers that change, by their names: one that comes back has its failures and its place. */
  readonly #changing = new Map<string, Following>()
  /** Ledgers that could not be read, and until when they are left alone, in Unix milliseconds. */
  readonly #unread = new Map<string, number>()

  constructor(parts: FollowerParts) {
    this.#parts = parts
  }

  /** Notes how far ledgers are. The next round reads what is new. */
  note(heads: readonly LedgerHead[]): Promise<void> {
    return heads.length === 0 ? Promise.resolve() : this.#parts.store.note(heads)
  }

  /**
   * Reads what is new, at most so many batches. `afterBatch` is awaited between two batches, so that other work has its turn.
   *
   * @throws {BrokerError} `ledger_unavailable` when the store of the places cannot be read or written
   */
  async round(batches: number, afterBatch: () => Promise<void> = async () => {}): Promise<Round> {
    const followings = [...(await this.#start()), ...(await this.#changed())]
    let left = batches
    for (const [ledger, places] of await this.#work(followings)) {
      for (const [cursor, group] of places) {
        const active = group.filter((following) => !this.#isPaused(following))
        if (active.length === 0 || !(await this.#batch(ledger, cursor, active))) continue
        left -= 1
        if (left === 0) return { goesOn: true, dueAt: null }
        await afterBatch()
      }
    }
    return { goesOn: left < batches, dueAt: await this.#due(followings) }
  }

  /** By ledger, the readers that are behind, by their places: at the end of a ledger all have the same. */
  async #work(followings: readonly Following[]) {
    const work = new Map<string, readonly [LedgerEntry, Map<number, Following[]>]>()
    for (const following of followings) {
      if (this.#isPaused(following)) continue
      for (const { ledger, cursor } of await this.#parts.store.behind(following.reader.name, LEDGERS_AT_ONCE)) {
        const id = idOf(ledger)
        if (this.#isEarly(this.#unread.get(id)) || this.#isEarly(following.held.get(id)?.until)) continue
        const [, places] = work.get(id) ?? [ledger, new Map<number, Following[]>()]
        places.set(cursor, [...(places.get(cursor) ?? []), following])
        work.set(id, [ledger, places])
      }
    }
    // Last where a reader has failed: a record that it can never take must not keep all other ledgers from it.
    const hasFailed = ([id]: readonly [string, unknown]) => followings.some(({ held }) => held.has(id))
    const entries = [...work]
    return [...entries.filter((one) => !hasFailed(one)), ...entries.filter(hasFailed)].map(([, one]) => one)
  }

  /** Returns whether there was anything to hand out. */
  async #batch(ledger: LedgerEntry, cursor: number, followings: readonly Following[]): Promise<boolean> {
    const records = await this.#read(ledger, cursor)
    const last = records.at(-1)
    if (last === undefined) return false
    const named = await this.#named(await this.#grown(ledger, last), records)
    for (const following of followings) {
      const { reader, since } = following
      const wanted = since === 0 ? records : records.filter(({ record }) => Date.parse(record.at) >= since)
      try {
        if (wanted.length > 0) await reader.take({ ledger: named, records: wanted })
        await this.#parts.store.move(reader.name, ledger, last.record.seq)
        following.failures = 0
        following.held.delete(idOf(ledger))
      } catch (error) {
        this.#failed(following, error, ledger)
      }
    }
    return true
  }

  /** The next records; none when the ledger cannot be read now, or is shorter than it was said to be. */
  async #read(ledger: LedgerEntry, cursor: number): Promise<readonly ChainedRecord[]> {
    const { ledgers, store, log } = this.#parts
    try {
      const records = await ledgers.of(ledger.issuerUrl, ledger.unitId).auditTrail(cursor, BATCH_RECORDS)
      // Set back, as by a restored copy. Its next record will be told like any other.
      if (records.length === 0) await store.correct(ledger, { ...ledger, seq: cursor })
      return records
    } catch (error) {
      log({ event: "follow.failed", detail: `the records cannot be read: ${reasonOf(error)}`, ...unitOf(ledger) })
      if (this.#unread.size >= LEDGERS_AT_ONCE) this.#unread.clear()
      this.#unread.set(idOf(ledger), this.#now() + UNREAD_PAUSE_MS)
      return []
    }
  }

  /** A ledger may have grown since its head was noted. What shows it must not be behind what a search finds. */
  async #grown(ledger: LedgerEntry, { record, chain }: ChainedRecord): Promise<LedgerEntry> {
    if (record.seq <= ledger.seq) return ledger
    const latestAt = Math.max(ledger.latestAt, Date.parse(record.at))
    const grown = { ...ledger, seq: record.seq, chain, latestAt }
    await this.#parts.store.correct(ledger, grown)
    return grown
  }

  async #named(ledger: LedgerEntry, records: readonly ChainedRecord[]): Promise<LedgerEntry> {
    const names = namesIn(records.map(({ record }) => record))
    if (names === null || isSame(names, ledger)) return ledger
    await this.#parts.store.name(ledger, names)
    return { ...ledger, ...names }
  }

  async #due(followings: readonly Following[]): Promise<number | null> {
    const now = this.#now()
    const times = [...this.#unread.values()].filter((until) => until > now)
    for (const following of followings) {
      for (const { until } of following.held.values()) if (until > now) times.push(until)
      if (this.#isPaused(following)) {
        times.push(following.pausedUntil)
        continue
      }
      try {
        const due = await following.reader.due?.(now)
        if (due != null) times.push(due)
      } catch (error) {
        this.#failed(following, error)
        times.push(following.pausedUntil)
      }
    }
    const names = followings.map(({ reader }) => reader.name)
    const archiveDue = await this.#parts.archive?.due(now, names)
    if (archiveDue != null) times.push(archiveDue)
    return times.length === 0 ? null : Math.min(...times)
  }

  async #start(): Promise<readonly Following[]> {
    if (this.#followings) return this.#followings
    const now = this.#now()
    const followings: Following[] = []
    for (const reader of this.#parts.readers) followings.push(await this.#register(reader, now))
    this.#followings = followings
    return followings
  }

  /** Without policies, the last ones go on: an export does not stand still because a file has a fault. */
  async #changed(): Promise<readonly Following[]> {
    const readers = await this.#parts.changing?.().catch(() => null)
    if (readers === undefined) return []
    if (readers === null) return [...this.#changing.values()]
    const names = new Set(readers.map(({ name }) => name))
    for (const name of this.#changing.keys()) if (!names.has(name)) this.#changing.delete(name)
    for (const reader of readers) {
      const known = this.#changing.get(reader.name)
      if (known === undefined) this.#changing.set(reader.name, await this.#register(reader, this.#now()))
      else known.reader = reader
    }
    return [...this.#changing.values()]
  }

  async #register(reader: Reader, now: number): Promise<Following> {
    const registered = await this.#parts.store.register(reader, now)
    return { reader, since: reader.from === "now" ? registered : 0, failures: 0, pausedUntil: 0, held: new Map() }
  }

  #now(): number {
    return this.#parts.clock.now().getTime()
  }

  #isPaused({ pausedUntil }: Following): boolean {
    return this.#isEarly(pausedUntil)
  }

  /** No pause is longer than the longest: a clock that was set back makes none. */
  #isEarly(until = 0): boolean {
    const left = until - this.#now()
    return left > 0 && left <= LONGEST_PAUSE_MS
  }

  #failed(following: Following, error: unknown, ledger?: LedgerKey): void {
    const pause = pauseAfter(following.failures)
    following.failures += 1
    following.pausedUntil = this.#now() + pause
    if (ledger) {
      const failures = following.held.get(idOf(ledger))?.failures ?? 0
      if (following.held.size >= LEDGERS_AT_ONCE) following.held.clear()
      following.held.set(idOf(ledger), { failures: failures + 1, until: this.#now() + pauseAfter(failures) })
    }
    this.#parts.log({
      event: "follow.failed",
      detail: `${following.reader.name} goes on in ${pause / 1000} s: ${reasonOf(error)}`,
      ...(ledger ? unitOf(ledger) : {}),
    })
  }
}

const pauseAfter = (failures: number): number => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures)

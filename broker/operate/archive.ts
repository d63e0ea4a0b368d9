import { brokersDraft } from "../core/audit-record.ts"
import { formatEdge } from "../core/checkpoint/edge.ts"
import { edgePlaces, TILE_HASHES } from "../core/checkpoint/tiles.ts"
import { BrokerError } from "../core/errors.ts"
import { isArchive } from "../core/policy/schema-outbound.ts"
import type { Broker } from "../exchange/broker.ts"
import type { Directory, LedgerEntry } from "../ports/directory.ts"
import type { FollowStore } from "../ports/followed.ts"
import type { Ledger } from "../ports/ledger.ts"
import type { TreeStore } from "../ports/tree-store.ts"
import { readerName } from "./exports/exports.ts"

const DAY_MS = 24 * 3_600_000
/** All ledgers are looked through so often. */
const EVERY_MS = 6 * 3_600_000
/** Between two calls of one look through all ledgers. */
const SOON_MS = 1000
/** After a failure. */
const AGAIN_MS = 60_000
/** What one call does at most: so many ledgers, or so many transactions. */
const LOOKS_PER_CALL = 20
const STEPS_PER_CALL = 4
/**
 * What one transaction deletes at most, some 15 ms of work; and the next best. A ledger begins where a tile of its tree does, so
 * that a single page of hashes stands for all that has left.
 */
const STEPS = [2 * TILE_HASHES, TILE_HASHES] as const
const LISTED = 100

export interface ArchiveParts {
  readonly broker: Pick<Broker, "ledgers" | "policySource" | "log">
  readonly directory: Directory
  readonly places: Pick<FollowStore, "takenBy">
  readonly trees: TreeStore
}

/** What a look through the ledgers goes by. */
interface Rule {
  /** Unix milliseconds: older records leave. */
  readonly before: number
  /** Who must have taken them. */
  readonly readers: readonly string[]
  /** For the record: the age, and who has them. */
  readonly why: string
}

/**
 * Lets old records leave the ledgers, slowly, so that a ledger's size is bounded: those that are older than the organisation
 * file says, and that every export and everything else that follows the record has taken. What a ledger does not let go stays.
 */
export class Archive {
  readonly #parts: ArchiveParts
  #ledgers: LedgerEntry[] = []
  /** Where the list of ledgers goes on; null: a new look begins. */
  #page: string | null = null
  /** The last call, and the time that it named. All in Unix milliseconds. */
  #waits = { at: 0, next: 0 }

  constructor(parts: ArchiveParts) {
    this.#parts = parts
  }

  /**
   * Does a part of a look through all ledgers. Returns when to go on, in Unix milliseconds; null when nothing is to leave.
   *
   * @param readers the names of all that follows the record now
   */
  async due(now: number, readers: readonly string[]): Promise<number | null> {
    try {
      const rule = await this.#rule(now, readers)
      if (rule === null) return null
      const { at, next } = this.#waits
      // A clock that was set back waits for nothing.
      if (now >= at && now < next) return next
      const isThrough = await this.#look(rule, now)
      this.#waits = { at: now, next: now + (isThrough ? EVERY_MS : SOON_MS) }
    } catch (error) {
      const why = error instanceof BrokerError ? error.detail : "an unexpected error"
      // This ledger waits for the next look, and holds up no other.
      this.#ledgers.shift()
      this.#waits = { at: now, next: now + AGAIN_MS }
      this.#parts.broker.log({ event: "archive.failed", detail: `old records stay in the ledgers: ${why}` })
    }
    return this.#waits.next
  }

  async #rule(now: number, readers: readonly string[]): Promise<Rule | null> {
    const { archive, exports = new Map() } = (await this.#parts.broker.policySource.snapshot()).organisation
    const kept = [...exports].filter(([, target]) => isArchive(target)).map(([name]) => name)
    // Loading has refused it; policies that an older version compiled were not checked.
    if (archive === undefined || kept.length === 0) return null
    return {
      before: now - archive.after * DAY_MS,
      // Those that have just been added, too: they have taken nothing yet.
      readers: [...new Set([...readers, ...[...exports].map(([name, target]) => readerName(name, target))])],
      why: `older than ${archive.after} days, exported to ${kept.join(", ")}`,
    }
  }

  /** Returns whether all ledgers were looked at. */
  async #look(rule: Rule, now: number): Promise<boolean> {
    let steps = 0
    for (let looks = 0; looks < LOOKS_PER_CALL && steps < STEPS_PER_CALL; looks += 1) {
      const ledger = await this.#next()
      if (ledger === null) return true
      // A ledger that has more to let go is looked at again.
      if (await this.#step(ledger, rule, now)) steps += 1
      else this.#ledgers.shift()
    }
    return false
  }

  async #next(): Promise<LedgerEntry | null> {
    while (this.#ledgers.length === 0) {
      const after = this.#page
      if (after === LAST_PAGE) {
        this.#page = null
        return null
      }
      const { ledgers, next } = await this.#parts.directory.list({ limit: LISTED, ...(after !== null && { after }) })
      this.#ledgers = [...ledgers]
      this.#page = next ?? LAST_PAGE
    }
    return this.#ledgers[0] ?? null
  }

  /** Lets some of the oldest records of a ledger leave. False: none may leave now. */
  async #step(ledger: LedgerEntry, rule: Rule, now: number): Promise<boolean> {
    const { broker, places } = this.#parts
    // Most ledgers of most deployments: nothing is asked.
    if (ledger.seq <= TILE_HASHES) return false
    const own = broker.ledgers.of(ledger.issuerUrl, ledger.unitId)
    const first = await firstOf(own, 0)
    if (first === null || first.at >= rule.before) return false
    const taken = await places.takenBy(rule.readers, ledger)
    for (const records of STEPS) {
      const upTo = first.seq - 1 + records
      if (upTo > taken || upTo % TILE_HASHES !== 0) continue
      const last = await firstOf(own, upTo - 1)
      if (last?.seq !== upTo || last.at >= rule.before) continue
      return await this.#archive(ledger, own, upTo, rule, now)
    }
    return false
  }

  async #archive(ledger: LedgerEntry, own: Ledger, upTo: number, { before, why }: Rule, now: number): Promise<boolean> {
    const tiles = await this.#parts.trees.tiles(ledger, edgePlaces(upTo))
    let edge: string
    try {
      edge = formatEdge(upTo, tiles)
    } catch {
      // The tree is being built again.
      return false
    }
    const about = { at: new Date(now), requestId: crypto.randomUUID(), lease: null, reason: why }
    return await own.archive({ upTo, edge, before, now, audit: brokersDraft("records.archived", about) })
  }
}

/** No directory names a page so. */
const LAST_PAGE = ""

/** The number and the time of the first record after a number; null when there is none. */
async function firstOf(ledger: Ledger, after: number): Promise<{ readonly seq: number; readonly at: number } | null> {
  const [first] = await ledger.auditTrail(after, 1)
  return first ? { seq: first.record.seq, at: Date.parse(first.record.at) } : null
}

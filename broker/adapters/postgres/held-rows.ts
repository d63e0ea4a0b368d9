import type { ChainLink } from "../../core/audit-chain.ts"
import type { Lease } from "../ledger/lease-states.ts"
import { isClosed } from "../ledger/lease-states.ts"
import type { Head, LeaseRows, LedgerRows, StoredLease, TokenRows } from "../ledger/rows.ts"
import { forgottenAt } from "../ledger/used-tokens.ts"
import { HeldArchive } from "./held-archive.ts"
import { HeldTable, Journal } from "./held-table.ts"

/** The entry of a used token, of a proof or of a mark. `expiresAt`: Unix seconds. */
export interface TokenRow {
  readonly expiresAt: number
  readonly boundTo: string | null
  readonly proofs: number
  readonly replayRecorded: boolean
}

/** A lease with the grants that it counts for, of those that limit their open leases. */
export interface LeaseRow {
  readonly lease: StoredLease
  readonly limited: readonly string[]
}

export interface Appended extends ChainLink {
  readonly seq: number
}

/**
 * The rows of one ledger that a transaction has read, and what it is to write: the ledger's head is locked, so they change
 * nowhere else meanwhile. The work of every call runs on them without waiting. What a call changed can be taken back.
 */
export class HeldRows implements LedgerRows {
  readonly id: string
  readonly journal = new Journal()
  readonly tokens: HeldTokens
  readonly leases: HeldLeases
  readonly archive: HeldArchive
  readonly appended: Appended[] = []
  #head: Head
  #isSaved = false

  constructor(id: string, head: Head, acceptFrom: number) {
    this.id = id
    this.#head = head
    this.tokens = new HeldTokens(acceptFrom, this.journal)
    this.leases = new HeldLeases(this.journal)
    this.archive = new HeldArchive(this.journal)
  }

  /** As the last call left it. */
  get head(): Head {
    return this.#head
  }

  get isSaved(): boolean {
    return this.#isSaved
  }

  append(seq: number, link: ChainLink): void {
    this.appended.push({ seq, ...link })
    this.journal.note(() => void this.appended.pop())
  }

  save(head: Head): void {
    const before = this.#head
    const wasSaved = this.#isSaved
    this.#head = head
    this.#isSaved = true
    this.journal.note(() => {
      this.#head = before
      this.#isSaved = wasSaved
    })
  }
}

class HeldTokens implements TokenRows {
  readonly table: HeldTable<TokenRow>
  readonly #acceptFrom: number
  readonly #journal: Journal
  /** Whether the ledger's next due time must be found among all entries: only some were read. */
  isEarliestAsked = false

  constructor(acceptFrom: number, journal: Journal) {
    this.#acceptFrom = acceptFrom
    this.#journal = journal
    this.table = new HeldTable(journal)
  }

  acceptFrom(): number {
    return this.#acceptFrom
  }

  has(key: string): boolean {
    return this.table.get(key) !== null
  }

  insert(key: string, expiresAt: number, boundTo: string | null): boolean {
    if (this.has(key)) return false
    this.table.set(key, { expiresAt, boundTo, proofs: 0, replayRecorded: false })
    return true
  }

  binding(key: string): TokenRow | null {
    return this.table.get(key)
  }

  countProof(key: string): void {
    const row = this.table.get(key)
    if (row) this.table.set(key, { ...row, proofs: row.proofs + 1 })
  }

  markReplay(key: string): boolean {
    const row = this.table.get(key)
    if (!row || row.replayRecorded) return false
    this.table.set(key, { ...row, replayRecorded: true })
    return true
  }

  forget(before: number, atMost: number): readonly number[] {
    const dead = this.table
      .present()
      .filter(([, { expiresAt }]) => expiresAt < before)
      .sort(([, one], [, other]) => one.expiresAt - other.expiresAt)
      .slice(0, atMost)
    for (const [key] of dead) this.table.set(key, null)
    return dead.map(([, { expiresAt }]) => expiresAt)
  }

  earliestEnd(): number | null {
    this.#journal.flag(this, "isEarliestAsked")
    return least(this.table.present().map(([, { expiresAt }]) => expiresAt))
  }
}

class HeldLeases implements LeaseRows {
  readonly table: HeldTable<LeaseRow>
  /** How many open leases have a grant that limits them, by the grant's key. */
  readonly open: HeldTable<number>
  readonly #journal: Journal
  isEarliestAsked = false
  /** Closed leases that are to be deleted, which were not read. */
  forgetting: { readonly now: number; readonly atMost: number } | null = null

  constructor(journal: Journal) {
    this.#journal = journal
    this.table = new HeldTable(journal)
    this.open = new HeldTable(journal)
  }

  has(id: string): boolean {
    return this.table.get(id) !== null
  }

  find(id: string): StoredLease | null {
    return this.table.get(id)?.lease ?? null
  }

  add(lease: StoredLease, limitedGrants: readonly string[]): void {
    this.table.set(lease.id, { lease, limited: limitedGrants })
    for (const key of limitedGrants) this.open.set(key, this.openOf(key) + 1)
  }

  write({ id }: StoredLease, after: Lease): void {
    const row = this.table.get(id)
    if (row) this.table.set(id, { ...row, lease: { ...row.lease, ...after } })
  }

  openOf(grantKey: string): number {
    return this.open.get(grantKey) ?? 0
  }

  releaseLimited(id: string): void {
    const row = this.table.get(id)
    if (!row || row.limited.length === 0) return
    this.table.set(id, { ...row, limited: [] })
    for (const key of row.limited) if (this.open.isRead(key)) this.open.set(key, this.openOf(key) - 1)
  }

  due(now: number, limit: number): readonly StoredLease[] {
    return this.table
      .present()
      .map(([, { lease }]) => lease)
      .filter(({ state, dueAt }) => !isClosed(state) && dueAt <= now)
      .sort((one, other) => one.dueAt - other.dueAt)
      .slice(0, limit)
  }

  notClosed(after: string, limit: number): readonly StoredLease[] {
    return this.table
      .present()
      .map(([, { lease }]) => lease)
      .filter(({ state, id }) => !isClosed(state) && id > after)
      .sort((one, other) => (one.id < other.id ? -1 : 1))
      .slice(0, limit)
  }

  earliestDue(): number | null {
    this.#journal.flag(this, "isEarliestAsked")
    return least(this.table.present().map(([, { lease }]) => lease.dueAt))
  }

  /** Those in the database were healed before they were read: see `read-rows.ts`. */
  healFuture(now: number): void {
    for (const [id, row] of this.table.present()) {
      const { state, triedAt } = row.lease
      if (state !== "revoking" || triedAt === null || triedAt <= now) continue
      this.table.set(id, { ...row, lease: { ...row.lease, dueAt: now, triedAt: now - 1 } })
    }
  }

  forgetClosed(now: number, atMost: number): void {
    const before = this.forgetting
    this.forgetting = { now, atMost }
    this.#journal.note(() => {
      this.forgetting = before
    })
  }
}

const least = (times: readonly number[]): number | null => (times.length === 0 ? null : Math.min(...times))

/** `forgottenAt` is a line: a second of an entry's end is this many milliseconds, from this start. */
export const FORGOTTEN = { slope: forgottenAt(1) - forgottenAt(0), start: forgottenAt(0) }

import type { ChainLink } from "../../core/audit-chain.ts"
import type { LeaseCredentialState, LedgerCut } from "../../ports/ledger.ts"
import type { Lease } from "./lease-states.ts"

export type { LedgerKey } from "../../ports/directory.ts"

/** The one row of a ledger: the end of its chain, when it is due, and what it has counted. */
export interface Head {
  readonly seq: number
  /** The hash of the last record, SHA-256 in hex. */
  readonly chain: string
  /** Unix milliseconds: when the ledger must be swept next; null: never. */
  readonly dueAt: number | null
  /** Unix milliseconds: the latest time that the ledger has seen. */
  readonly latestAt: number
  /** Unix seconds: the latest end of a token that was deleted. */
  readonly forgottenUntil: number
  /** What its quotas have counted, as JSON; empty for a ledger that has counted nothing yet. */
  readonly quotas: string
}

/** A lease as it is stored. */
export interface StoredLease extends Lease {
  readonly id: string
  readonly runId: string
  readonly runAttempt: string
}

/**
 * The rows of one ledger inside one transaction. All methods are synchronous, so that nothing is awaited between a check and
 * the write that depends on it: a store either asks its database synchronously, or has read the rows before.
 */
export interface LedgerRows {
  /** As it was when the transaction began. */
  readonly head: Head
  readonly tokens: TokenRows
  readonly leases: LeaseRows
  readonly archive: ArchiveRows
  append(seq: number, link: ChainLink): void
  /** Writes the head. The last call of a transaction. */
  save(head: Head): void
}

/** The used tokens of one ledger. `key` also names proofs and marks: see `used-tokens.ts`. */
export interface TokenRows {
  /** Unix seconds: the database cannot know the use of tokens that were issued before. */
  acceptFrom(): number
  has(key: string): boolean
  /** False, and nothing is changed, when there is an entry with this key. `expiresAt`: Unix seconds. */
  insert(key: string, expiresAt: number, boundTo: string | null): boolean
  /** The key that an entry is bound to, and how many proofs of it were used. */
  binding(key: string): { readonly boundTo: string | null; readonly proofs: number } | null
  countProof(key: string): void
  /** False when the replay of this entry's token was recorded before. */
  markReplay(key: string): boolean
  /** Deletes entries that end before `before` (Unix seconds), the earliest first. Returns the ends of those deleted. */
  forget(before: number, atMost: number): readonly number[]
  /** The earliest end of an entry, in Unix seconds. Null without entries. */
  earliestEnd(): number | null
}

/** The leases of one ledger. `lease-states.ts` decides how a lease may change. */
export interface LeaseRows {
  has(id: string): boolean
  find(id: string): StoredLease | null
  /** Stores a new lease, and the keys of its grants that limit their open leases. */
  add(lease: StoredLease, limitedGrants: readonly string[]): void
  write(before: StoredLease, after: Lease): void
  /** How many open leases have this grant, of those that limit them. */
  openOf(grantKey: string): number
  /** A lease no longer counts for the limits of its grants. */
  releaseLimited(id: string): void
  /** Leases that are due and not closed, those due earliest first. */
  due(now: number, limit: number): readonly StoredLease[]
  /** Leases that are not closed, in the order of their ids, after this id. */
  notClosed(after: string, limit: number): readonly StoredLease[]
  /** When the first lease is due, in Unix milliseconds. Null without leases. */
  earliestDue(): number | null
  /** Makes revocations due that were tried by a clock that was ahead: they would wait until that time comes again. */
  healFuture(now: number): void
  /** Deletes closed leases that are due, the oldest first, at most so many. */
  forgetClosed(now: number, atMost: number): void
}

/** Where a ledger begins, as it is stored. */
export interface StoredCut extends LedgerCut {
  /** Unix milliseconds: when the day began in which records left last. */
  readonly day: number
  /** Unix milliseconds: records of a later time may not leave on that day. */
  readonly reach: number
}

/** The oldest records of a ledger, up to a number. */
export interface OldestRecords {
  /** How many there are. */
  readonly records: number
  /** Of the last of them, SHA-256 in hex; empty when it is not there. */
  readonly chain: string
  /** The earliest and the latest of their times, in Unix milliseconds. */
  readonly earliestAt: number
  readonly latestAt: number
}

/** The records of one ledger that leave it. */
export interface ArchiveRows {
  cut(): StoredCut | null
  oldest(upTo: number): OldestRecords
  /** Deletes the records up to `cut.seq`, and stores it. */
  begin(cut: StoredCut): void
}

/** What the work of one call may look at, so that a store can read it at once. */
export interface Touched {
  /** Keys of used tokens, proofs and marks. */
  readonly tokens: readonly string[]
  readonly leases: readonly string[]
  /** Keys of grants that limit their open leases. */
  readonly grants: readonly string[]
  /** Present for a sweep: due leases, at most so many, and all that is over is forgotten. */
  readonly due?: { readonly now: number; readonly limit: number }
  /** Present to list leases that are not closed. */
  readonly notClosed?: { readonly after: string; readonly limit: number }
  /** Present to archive, or to see what was: records up to this number. */
  readonly archive?: number
}

/** A credential as JSON, and back. Only what is stored, and in one place for every store. */
export const writeCredentials = (credentials: readonly LeaseCredentialState[]): string =>
  credentials.length === 0 ? "[]" : JSON.stringify(credentials)

export const readCredentials = (text: string): readonly LeaseCredentialState[] =>
  text === "[]" ? [] : (JSON.parse(text) as readonly LeaseCredentialState[])

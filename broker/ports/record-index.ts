import type { AuditEvent, AuditRecord } from "../core/audit-record.ts"
import type { LedgerKey } from "./directory.ts"

/** What a search compares, each with the whole text. All that are given must be in the record. */
export interface RecordTerms {
  /** The unit's name, such as `acme/shop`. */
  readonly unit?: string
  readonly unitId?: string
  readonly owner?: string
  readonly ownerId?: string
  readonly actor?: string
  readonly actorId?: string
  readonly grant?: string
  readonly connection?: string
  readonly resource?: string
  /** The code that a record's reason begins with, such as `no_rule_matched`. */
  readonly code?: string
  readonly event?: AuditEvent
  readonly lease?: string
  readonly run?: string
  /** SHA-256 of a minted token in hex, or the public id of a minted credential, such as an AWS access key id. */
  readonly fingerprint?: string
  readonly requestId?: string
}

/**
 * Limits a search to what an operator may see. A list that is absent limits nothing. With owners and units, either is enough.
 * With connections, a record is seen when it has grants and all of them go through these.
 */
export interface RecordScope {
  readonly owners?: readonly { readonly issuerUrl: string; readonly ownerId: string }[]
  readonly units?: readonly LedgerKey[]
  readonly connections?: readonly string[]
}

export interface RecordSpan {
  /** Unix milliseconds, inclusive. */
  readonly since?: number
  /** Unix milliseconds, exclusive. */
  readonly until?: number
}

export interface RecordQuery extends RecordTerms, RecordSpan {
  readonly scope?: RecordScope
  /** From the page before. */
  readonly cursor?: string
  /** 1 to 500. */
  readonly limit: number
}

export interface FoundRecord extends LedgerKey {
  readonly record: AuditRecord
  /** SHA-256 in hex. */
  readonly leaf: string
}

export interface FoundRecords {
  /** Newest first. */
  readonly found: readonly FoundRecord[]
  /**
   * The cursor for older records; null when there are none. A search reads a bounded part of the index: `found` can be short,
   * or empty, while there is more.
   */
  readonly next: string | null
  /** How many more would be here, but have left their ledgers: exports have them. 0 within a scope of connections. */
  readonly archived: number
}

/** How many records of each event an hour has. */
export interface HourCount {
  /** Unix milliseconds: when the hour begins. */
  readonly hour: number
  readonly events: Readonly<Partial<Record<AuditEvent, number>>>
}

/** When something of a unit was last used. */
export interface LastUse {
  readonly kind: "grant" | "connection"
  readonly name: string
  /** Unix milliseconds. */
  readonly at: number
}

/**
 * Finds records of all ledgers. It follows the ledgers, seconds behind, and is rebuilt from them when it is lost.
 *
 * @throws {BrokerError} `ledger_unavailable` when the index or a ledger with a found record cannot be read;
 *   `request_invalid` for a cursor that is none
 */
export interface RecordIndex {
  search(query: RecordQuery): Promise<FoundRecords>
  /**
   * The hours that have records, oldest first. Counts at most a bounded number of records: `complete` is false when there were
   * more, and the oldest hours are then missing. Within a scope of connections, a record of several connections is not counted.
   */
  hours(query: RecordTerms & RecordSpan & { readonly scope?: RecordScope }): Promise<{
    readonly hours: readonly HourCount[]
    readonly complete: boolean
  }>
  /** What a unit's jobs used, by exchanges that minted. */
  lastUse(key: LedgerKey): Promise<readonly LastUse[]>
}

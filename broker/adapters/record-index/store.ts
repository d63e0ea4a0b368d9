import type { LedgerKey, LedgerNames } from "../../ports/directory.ts"
import type { LastUse } from "../../ports/record-index.ts"
import type { IndexRow, Segment } from "./segment.ts"

/** A segment without its rows, which are only read when they are needed. */
export interface SegmentHead extends Pick<Segment, "minAt" | "maxAt" | "terms"> {
  readonly id: number
}

/** Where to go on in a list of segments. */
export type SegmentPlace = Pick<SegmentHead, "maxAt" | "id">

/** What a batch of records adds to the index. Its rows have the number of their ledger from the store. */
export interface Additions {
  readonly rows: readonly Omit<IndexRow, "ledger">[]
  readonly uses: readonly LastUse[]
}

export interface IndexedLedger extends LedgerKey, LedgerNames {
  readonly id: number
}

/** Where the index is kept. */
export interface IndexStore {
  /** Adds what is new of a ledger's records, in one transaction: records that were added before are left out. */
  add(ledger: LedgerKey, additions: Additions): Promise<void>
  /**
   * Segments with records at `since` or later and before `until` (Unix milliseconds), by their newest record, newest first,
   * after `after`.
   */
  segments(span: {
    readonly since: number
    readonly until: number
    readonly after: SegmentPlace | null
    readonly limit: number
  }): Promise<readonly SegmentHead[]>
  /** Null for a segment that is gone. */
  rows(id: number): Promise<Pick<Segment, "terms" | "events" | "rows"> | null>
  ledgers(ids: readonly number[]): Promise<readonly IndexedLedger[]>
  lastUse(ledger: LedgerKey): Promise<readonly LastUse[]>
}

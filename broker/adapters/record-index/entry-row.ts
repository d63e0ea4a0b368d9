import type { LedgerEntry } from "../../ports/directory.ts"

/** A known ledger, as both databases store it. */
export type EntryRow = {
  readonly id: number
  readonly issuer: string
  readonly unit_id: string
  readonly unit: string | null
  readonly unit_kind: string | null
  readonly owner: string | null
  readonly owner_id: string | null
  readonly seq: number
  readonly chain: string
  readonly latest_at: number
  readonly open_leases: number
}

/** Its columns. The table is `l`. */
export const ENTRY =
  "l.id, l.issuer, l.unit_id, l.unit, l.unit_kind, l.owner, l.owner_id, l.seq, l.chain, l.latest_at, l.open_leases"

export const entryOf = (row: EntryRow): LedgerEntry => ({
  issuerUrl: row.issuer,
  unitId: row.unit_id,
  unit: row.unit,
  unitKind: row.unit_kind,
  owner: row.owner,
  ownerId: row.owner_id,
  seq: row.seq,
  chain: row.chain,
  latestAt: row.latest_at,
  openLeases: row.open_leases,
})

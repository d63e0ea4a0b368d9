import type { AuditRecord } from "../core/audit-record.ts"
import type { LedgerKey, LedgerNames } from "../ports/directory.ts"

/** Takes the unit's names from the newest of these records that has them; null when none has. */
export function namesIn(records: readonly AuditRecord[]): LedgerNames | null {
  const identity = records.findLast((record) => record.identity !== null)?.identity
  // Records of version 1 named repositories.
  if (identity?.unit === undefined) return null
  return { unit: identity.unit, unitKind: identity.unit_kind, owner: identity.owner, ownerId: identity.owner_id }
}

/** Whether two have the same names. */
export const isSame = (one: LedgerNames, other: LedgerNames): boolean =>
  one.unit === other.unit &&
  one.unitKind === other.unitKind &&
  one.owner === other.owner &&
  one.ownerId === other.ownerId

/** A ledger's key in a map. */
export const idOf = ({ issuerUrl, unitId }: LedgerKey): string => JSON.stringify([issuerUrl, unitId])

/** A ledger as lines of the log name it. */
export const unitOf = ({ issuerUrl, unitId }: LedgerKey) => ({ issuer: issuerUrl, unit_id: unitId })

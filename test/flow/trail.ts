import type { ChainedRecord } from "../../broker/ports/ledger.ts"

/** Picks one repository's records out of an export. */
export function trailFromExport(lines: Iterable<string>, issuer: string, unitId: string): ChainedRecord[] {
  const records: ChainedRecord[] = []
  let mine = false
  for (const line of lines) {
    const entry = JSON.parse(line)
    if (entry.ledger) mine = entry.ledger.issuer === issuer && entry.ledger.unit_id === unitId
    if (entry.record && mine) records.push(entry)
  }
  return records
}

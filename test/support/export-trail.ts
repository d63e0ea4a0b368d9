import { sha256 } from "@noble/hashes/sha2.js"
import { chainStart, type LedgerName } from "../../broker/core/audit-chain.ts"
import { ExportWriter } from "../../broker/core/audit-export.ts"
import { canonicalJson } from "../../broker/core/canonical-json.ts"

/** A whole file for one ledger, from all of its records as the `Ledger` port returns them. */
export function exportTrail(name: LedgerName, records: readonly ExportedRecord[]): string {
  const writer = new ExportWriter()
  const lines = records.map(({ record, leaf, chain }) => {
    const text = canonicalJson(record)
    if (!text.ok) throw new TypeError(`an audit record has no canonical text: ${text.fault}`)
    return writer.record({ text: text.value, leaf, chain })
  })
  const head = { seq: records.length, chain: records.at(-1)?.chain ?? chainStart(name, sha256) }
  return [writer.ledger(name), ...lines, writer.head(head), writer.end()].map((line) => `${line}\n`).join("")
}

interface ExportedRecord {
  readonly record: unknown
  readonly leaf: string
  readonly chain: string
}

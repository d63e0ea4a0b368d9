import type { LedgerName } from "../../broker/core/audit-chain.ts"
import { cefLine } from "../../broker/core/export-formats/cef.ts"
import type { LedgerRecord } from "../../broker/core/export-formats/facts.ts"
import { ocsfEvent } from "../../broker/core/export-formats/ocsf.ts"
import { otlpLogs } from "../../broker/core/export-formats/otlp.ts"

/** What `audit export --format` can write. `jsonl` is the only one that `audit verify` reads. */
export const EXPORT_FORMATS = ["jsonl", "ocsf", "cef", "otlp"] as const

export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** Records in one request to a collector: collectors refuse bodies of some megabytes. */
const OTLP_AT_ONCE = 200

/** The lines of an export in a format. `otlp` has one request's body in each line, for a collector's `/v1/logs`. */
export async function* formatted(format: ExportFormat, lines: AsyncIterable<string>): AsyncGenerator<string> {
  if (format === "jsonl") return yield* lines
  let ledger: LedgerName = { issuer: "", unit_id: "" }
  let waiting: LedgerRecord[] = []
  for await (const text of lines) {
    const value: unknown = JSON.parse(text)
    if (typeof value !== "object" || value === null) continue
    if ("ledger" in value) ledger = value.ledger as LedgerName
    if (!("record" in value)) continue
    const from: LedgerRecord = { ledger, record: value.record as LedgerRecord["record"] }
    if (format === "cef") yield cefLine(from)
    else if (format === "ocsf") yield JSON.stringify(ocsfEvent(from))
    else waiting.push(from)
    if (waiting.length < OTLP_AT_ONCE) continue
    yield JSON.stringify(otlpLogs(waiting, null))
    waiting = []
  }
  if (waiting.length > 0) yield JSON.stringify(otlpLogs(waiting, null))
}

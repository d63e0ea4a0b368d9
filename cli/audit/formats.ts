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

/** Takes the lines of an export, and hands on the lines of a format. */
export interface Formatter {
  line(text: string): void
  /** After the last line. */
  end(): void
}

/** `otlp` has one request's body in each line, for a collector's `/v1/logs`. */
export function formatter(format: ExportFormat, out: (text: string) => void): Formatter {
  if (format === "jsonl") return { line: out, end: () => {} }
  let ledger: LedgerName = { issuer: "", unit_id: "" }
  let waiting: LedgerRecord[] = []
  const flush = () => {
    if (waiting.length > 0) out(JSON.stringify(otlpLogs(waiting, null)))
    waiting = []
  }
  return {
    line(text) {
      const value: unknown = JSON.parse(text)
      if (typeof value !== "object" || value === null) return
      if ("ledger" in value) ledger = value.ledger as LedgerName
      if (!("record" in value)) return
      const from: LedgerRecord = { ledger, record: value.record as LedgerRecord["record"] }
      if (format === "cef") return out(cefLine(from))
      if (format === "ocsf") return out(JSON.stringify(ocsfEvent(from)))
      waiting.push(from)
      if (waiting.length === OTLP_AT_ONCE) flush()
    },
    end: flush,
  }
}

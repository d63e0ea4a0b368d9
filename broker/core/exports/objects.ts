import { sha256 } from "@noble/hashes/sha2.js"
import { type ChainHead, chainStart, type LedgerName } from "../audit-chain.ts"
import { ExportWriter } from "../audit-export.ts"
import type { AuditRecord } from "../audit-record.ts"
import { canonicalJson } from "../canonical-json.ts"
import { cefLine } from "../export-formats/cef.ts"
import type { LedgerRecord } from "../export-formats/facts.ts"
import { ocsfEvent } from "../export-formats/ocsf.ts"

/** How records are written into objects. */
export type ObjectFormat = "jsonl" | "ocsf" | "cef"

/** A record with its two hashes. */
interface ChainedRecord {
  readonly record: AuditRecord
  readonly leaf: string
  readonly chain: string
}

/** The first and the last record of an object, by their numbers. */
export interface Span {
  readonly first: number
  readonly last: number
}

/** So many hexadecimal digits of a hash name a ledger: nobody can find two that collide (2^64 tries). */
const LEDGER_DIGITS = 32
/** Numbers with zeros before them, so that the order of names is the order of records. */
const NUMBER_DIGITS = 12

/**
 * A ledger's name in the names of objects: the beginning of the hash that its chain starts with. The names that people gave it
 * would need an escape, and can be as long as they like.
 */
export const ledgerId = (ledger: LedgerName): string => chainStart(ledger, sha256).slice(0, LEDGER_DIGITS)

/** `2026/11/29/<ledger>/000000000001-000000000250.jsonl`, by the day of the object's first record (UTC). */
export function objectName(ledger: LedgerName, at: string, { first, last }: Span, format: ObjectFormat): string {
  const day = at.slice(0, 10).replaceAll("-", "/")
  return `${day}/${ledgerId(ledger)}/${padded(first)}-${padded(last)}.${ENDINGS[format]}`
}

/** How far the export of a ledger is. The only objects that are replaced. */
export const headName = (ledger: LedgerName): string => `heads/${ledgerId(ledger)}.json`

const padded = (seq: number) => String(seq).padStart(NUMBER_DIGITS, "0")

const ENDINGS: Readonly<Record<ObjectFormat, string>> = { jsonl: "jsonl", ocsf: "ocsf.jsonl", cef: "cef" }

export const CONTENT_TYPES: Readonly<Record<ObjectFormat, string>> = {
  jsonl: "application/x-ndjson",
  ocsf: "application/x-ndjson",
  cef: "text/plain; charset=utf-8",
}

/**
 * How records are cut into objects: at the end of each day (UTC), and before that where `noted` says that an object ended. All
 * are numbers of last records, in order.
 */
export function endsOf(records: readonly ChainedRecord[], noted: readonly number[]): readonly number[] {
  const wanted = new Set(noted)
  return records.flatMap(({ record }, index) => {
    const next = records[index + 1]?.record.at.slice(0, 10)
    return wanted.has(record.seq) || next !== record.at.slice(0, 10) ? [record.seq] : []
  })
}

/**
 * The lines of an object, each with a line feed. In `jsonl`, the ledger's name comes first, and then the lines of its records as
 * `daypass audit export` writes them.
 */
export function objectText(ledger: LedgerName, records: readonly ChainedRecord[], format: ObjectFormat): string {
  const writer = new ExportWriter()
  const lines = records.map((chained) => lineOf({ ledger, record: { ...chained.record } }, chained, format, writer))
  return `${[...(format === "jsonl" ? [writer.ledger(ledger)] : []), ...lines].join("\n")}\n`
}

function lineOf(
  from: LedgerRecord,
  { record, leaf, chain }: ChainedRecord,
  format: ObjectFormat,
  writer: ExportWriter,
): string {
  if (format === "cef") return cefLine(from)
  if (format === "ocsf") return JSON.stringify(ocsfEvent(from))
  const text = canonicalJson(record)
  // The ledger refuses records without a canonical text.
  if (!text.ok) throw new TypeError(`a record has no canonical text: ${text.fault}`)
  return writer.record({ text: text.value, leaf, chain })
}

/** The head of a ledger's export, with one line feed. */
export const headText = (ledger: LedgerName, { seq, chain }: ChainHead): string =>
  `{"head":{"chain":${JSON.stringify(chain)},"seq":${seq}},${new ExportWriter().ledger(ledger).slice(1)}\n`

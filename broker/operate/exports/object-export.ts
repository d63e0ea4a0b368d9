import type { LedgerName } from "../../core/audit-chain.ts"
import {
  CONTENT_TYPES,
  endsOf,
  headName,
  headText,
  ledgerId,
  type ObjectFormat,
  objectName,
  objectText,
} from "../../core/exports/objects.ts"
import type { ExportSink } from "../../ports/export-sink.ts"
import type { ChainedRecord } from "../../ports/ledger.ts"
import type { Marks } from "../../ports/marks.ts"

/** New records of one ledger. */
export interface Batch {
  readonly ledger: { readonly issuerUrl: string; readonly unitId: string }
  readonly records: readonly ChainedRecord[]
}

export interface ObjectExportParts {
  /** The export's name in the organisation file. */
  readonly name: string
  readonly format: ObjectFormat
  readonly sink: ExportSink
  readonly marks: Marks
}

const encoder = new TextEncoder()

/** Where a batch was cut: the number of its first record, and of the last record of each object. */
interface Cuts {
  readonly first: number
  readonly ends: readonly number[]
}

/**
 * Writes new records as objects, and after them the head of their ledger. When it resolves, all of them are durable.
 *
 * Before the first object is written, it is noted where all of them end. After a crash, the same records come again with more
 * behind them: then they are cut at the same places, so that an object replaces itself with the same bytes, and no record is in
 * two objects.
 */
export async function exportObjects({ ledger, records }: Batch, parts: ObjectExportParts): Promise<void> {
  const { format, sink, marks } = parts
  const name: LedgerName = { issuer: ledger.issuerUrl, unit_id: ledger.unitId }
  const [begin, end] = [records[0], records.at(-1)]
  if (begin === undefined || end === undefined) return
  const mark = `export ${parts.name} ${ledgerId(name)}`
  const { seq: first } = begin.record
  const noted = readCuts(await marks.read(mark))
  const ends = endsOf(records, noted?.first === first ? noted.ends : [])
  const text = JSON.stringify({ first, ends } satisfies Cuts)
  if (text !== JSON.stringify(noted)) await marks.write(mark, text)
  let from = first
  for (const last of ends) {
    const part = records.filter(({ record }) => record.seq >= from && record.seq <= last)
    await sink.put({
      name: objectName(name, part[0]?.record.at ?? "", { first: from, last }, format),
      bytes: encoder.encode(objectText(name, part, format)),
      contentType: CONTENT_TYPES[format],
      isFinal: true,
    })
    from = last + 1
  }
  const head = headText(name, { seq: end.record.seq, chain: end.chain })
  await sink.put({ name: headName(name), bytes: encoder.encode(head), contentType: "application/json", isFinal: false })
}

/** A mark that cannot be read is none: the records are then cut anew. */
function readCuts(text: string | null): Cuts | null {
  if (text === null) return null
  try {
    const { first, ends } = JSON.parse(text) as Partial<Cuts>
    return Number.isSafeInteger(first) && Array.isArray(ends) ? { first: Number(first), ends } : null
  } catch {
    return null
  }
}

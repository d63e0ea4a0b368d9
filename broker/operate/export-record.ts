import { ExportWriter } from "../core/audit-export.ts"
import { canonicalJson } from "../core/canonical-json.ts"
import { BrokerError } from "../core/errors.ts"
import type { Directory, LedgerEntry } from "../ports/directory.ts"
import type { ChainedRecord, Ledger, Ledgers } from "../ports/ledger.ts"

/** Records that are read at once: half a megabyte. */
const BATCH_RECORDS = 250
/** What one call gives at most. At the edge, one request may ask a limited number of objects. */
const CALL_RECORDS = 5000
const CALL_READS = 300
/** Ledgers that are listed at once. */
const LISTED = 100

export interface ExportWanted {
  /** Ledgers that the caller may see and has asked for. */
  includes(ledger: LedgerEntry): boolean
  /** Unix milliseconds: older records are left out; each ledger says after which record it begins. */
  readonly since: number | null
  /** Where the call before ended; null: from the start. */
  readonly after: string | null
}

/** Where an export goes on. */
interface Place {
  /** The directory's cursor of the page of the current ledger; empty: the first page. */
  page: string
  /** The ledger's place in the page. */
  at: number
  /** The last record that was given of it; null: it has not begun. */
  seq: number | null
}

/**
 * The record as lines of an export. A call gives a bounded part of it. Its last line says how to go on, `{"next":"..."}`, or that
 * nothing is left, `{"done":true}`; without either the answer was cut. The file's closing line is written by the caller, which
 * alone has seen all heads.
 *
 * A ledger may grow meanwhile: it is exported as it is when its last record is read.
 *
 * @throws {BrokerError} `request_malformed` for a place that is none; `ledger_unavailable`
 */
export async function* exportRecord(
  wanted: ExportWanted,
  { directory, ledgers }: { readonly directory: Directory; readonly ledgers: Ledgers },
): AsyncGenerator<string> {
  const place = placeOf(wanted.after)
  const call = { records: CALL_RECORDS, reads: CALL_READS }
  for (;;) {
    const page = await directory.list({ limit: LISTED, ...(place.page === "" ? {} : { after: place.page }) })
    call.reads -= 1
    while (place.at < page.ledgers.length) {
      const entry = page.ledgers[place.at]
      if (
        entry &&
        entry.seq > 0 &&
        (wanted.since === null || entry.latestAt >= wanted.since) &&
        wanted.includes(entry)
      ) {
        const isWhole = yield* exportLedger(entry, ledgers.of(entry.issuerUrl, entry.unitId), wanted.since, place, call)
        if (!isWhole) return
      }
      place.at += 1
      place.seq = null
      if (call.reads <= 0) {
        yield goesOn(place)
        return
      }
    }
    if (page.next === null) {
      yield '{"done":true}'
      return
    }
    place.page = page.next
    place.at = 0
  }
}

/** Returns false when the call has given as much as it may. */
async function* exportLedger(
  entry: LedgerEntry,
  ledger: Ledger,
  since: number | null,
  place: Place,
  call: { records: number; reads: number },
): AsyncGenerator<string, boolean> {
  const writer = new ExportWriter()
  let last: ChainedRecord | undefined
  if (place.seq === null) {
    yield writer.ledger({ issuer: entry.issuerUrl, unit_id: entry.unitId })
    const cut = await ledger.archived()
    call.reads -= 1
    const wanted = since === null ? 0 : await lastBefore(since, entry.seq, ledger, call)
    if (cut !== null && wanted <= cut.seq) {
      yield writer.from(cut)
      place.seq = cut.seq
    } else {
      const before = wanted > 0 ? await recordAt(wanted, ledger, call) : undefined
      if (before) yield writer.from({ seq: wanted, chain: before.chain })
      place.seq = wanted
      last = before
    }
  }
  for (;;) {
    const records = await ledger.auditTrail(place.seq, BATCH_RECORDS)
    call.reads -= 1
    if (records[0] && records[0].record.seq !== place.seq + 1) throw new BrokerError("ledger_unavailable", CHANGED)
    for (const record of records) yield lineOf(record, writer)
    last = records.at(-1) ?? last
    place.seq = last?.record.seq ?? place.seq
    call.records -= records.length
    if (records.length < BATCH_RECORDS) break
    if (call.records > 0 && call.reads > 0) continue
    yield goesOn(place)
    return false
  }
  last ??= await recordAt(place.seq, ledger, call)
  if (!last) throw new BrokerError("ledger_unavailable", CHANGED)
  yield writer.head({ seq: last.record.seq, chain: last.chain })
  return true
}

/** The number of the last record before a time: records are in the order of their times. */
async function lastBefore(since: number, newest: number, ledger: Ledger, call: { reads: number }): Promise<number> {
  let [older, newer] = [0, newest + 1]
  while (newer - older > 1) {
    const middle = Math.floor((older + newer) / 2)
    const [record] = await ledger.auditTrail(middle - 1, 1)
    call.reads -= 1
    if (record && Date.parse(record.record.at) >= since) newer = middle
    else older = middle
  }
  return older
}

async function recordAt(seq: number, ledger: Ledger, call: { reads: number }): Promise<ChainedRecord | undefined> {
  call.reads -= 1
  return (await ledger.auditTrail(seq - 1, 1))[0]
}

function lineOf({ record, leaf, chain }: ChainedRecord, writer: ExportWriter): string {
  const text = canonicalJson(record)
  // It was chained as canonical text.
  if (!text.ok) throw new BrokerError("ledger_unavailable", `a stored record has no canonical text: ${text.fault}`)
  return writer.record({ text: text.value, leaf, chain })
}

const CHANGED = "a ledger was set back, or let records go, while it was exported: export again"

const goesOn = ({ page, at, seq }: Place): string => JSON.stringify({ next: `${page}.${at}.${seq ?? ""}` })

function placeOf(after: string | null): Place {
  if (after === null) return { page: "", at: 0, seq: null }
  const [, page, at, seq] = /^([^.]{0,200})\.([0-9]{1,3})\.([0-9]{0,15})$/.exec(after) ?? []
  if (page === undefined) {
    throw new BrokerError("request_malformed", "after: send the text that the last answer had under next, or none.")
  }
  return { page, at: Number(at), seq: seq === "" ? null : Number(seq) }
}

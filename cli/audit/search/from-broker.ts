import { ActionError } from "../../../action/failure.ts"
import { type FiledRecord, readRecord } from "../../../analysis/records/record-lines.ts"
import { RecordSearch, type SearchTerms } from "../../../analysis/records/search.ts"
import { SEARCH_LIMIT, SEARCH_PATH } from "../../../broker/wire/record.ts"
import type { OperatorClient } from "../../operate/client.ts"
import type { Window } from "../../record/window.ts"

/** The most leases of which the broker is asked what became of them: one call each. */
const MAX_LEASES = 100
/** An answer has 4 MiB at most. */
const PAGE = Math.min(SEARCH_LIMIT, 50)

interface Wanted {
  readonly terms: SearchTerms
  readonly limit: number
  readonly window: Window
}

/**
 * Searches in the broker's index, and asks what became of the leases that were found. Only hashes and words are sent.
 * `archived`: how many more records matched, but have left their ledgers.
 *
 * @throws {ActionError}
 */
export async function searchBroker(
  client: OperatorClient,
  { terms, limit, window: { since, until } }: Wanted,
  take: (filed: FiledRecord) => void,
): Promise<{ readonly search: RecordSearch; readonly archived: number }> {
  const span = { ...(since !== null && { since }), ...(until !== null && { until }) }
  const { found, archived } = await allOf(client, { ...terms, ...span }, limit)
  for (const filed of found) take(filed)
  const leases = new Set(found.flatMap(({ record: { lease, grants } }) => (lease && grants.length > 0 ? [lease] : [])))
  const around: FiledRecord[] = []
  for (const lease of [...leases].slice(0, MAX_LEASES)) {
    around.push(...(await allOf(client, { lease }, SEARCH_LIMIT)).found)
  }
  const asked = new Set(found.map(keyOf))
  const others = around.filter((filed) => !asked.has(keyOf(filed)))
  const search = new RecordSearch(terms, limit)
  // In the order of their trail, in which a lease begins before it ends.
  for (const filed of [...found, ...others].sort(inTrail)) search.add(filed, asked.has(keyOf(filed)))
  return { search, archived }
}

/** Newest first; at most `limit`. */
async function allOf(
  client: OperatorClient,
  query: Readonly<Record<string, string>>,
  limit: number,
): Promise<{ readonly found: readonly FiledRecord[]; readonly archived: number }> {
  const found: FiledRecord[] = []
  let archived = 0
  let cursor: string | null = null
  do {
    const span = { limit: String(Math.min(PAGE, limit - found.length)), ...(cursor !== null && { cursor }) }
    const reply = await client.call({ method: "GET", path: SEARCH_PATH, query: { ...query, ...span } })
    const page = readPage(reply.body)
    found.push(...page.records)
    archived += page.archived
    cursor = page.next
  } while (cursor !== null && found.length < limit)
  return { found, archived }
}

interface FoundPage {
  readonly records: readonly FiledRecord[]
  readonly next: string | null
  readonly archived: number
}

function readPage(body: Buffer): FoundPage {
  let page: { readonly records?: unknown; readonly next?: unknown; readonly archived?: unknown }
  try {
    page = JSON.parse(body.toString("utf8")) as typeof page
  } catch {
    throw unusable()
  }
  if (!Array.isArray(page?.records) || !(page.next === null || typeof page.next === "string")) throw unusable()
  // A broker of an earlier version says nothing of it.
  const archived = typeof page.archived === "number" ? page.archived : 0
  return { records: page.records.map(readFound), next: page.next, archived }
}

function readFound(value: unknown): FiledRecord {
  const { ledger, record, leaf } = (value ?? {}) as Readonly<Record<string, unknown>>
  const { issuer, unit_id } = (ledger ?? {}) as Readonly<Record<string, unknown>>
  const read = readRecord(record)
  if (read === null || typeof leaf !== "string" || typeof issuer !== "string" || typeof unit_id !== "string") {
    throw unusable()
  }
  return { ledger: { issuer, unit_id }, record: read, leaf }
}

const unusable = (): ActionError =>
  new ActionError("answer_unusable", "The broker's answer to a search has not the form of one.", {
    change: "Check that the URL is one of a broker of Daypass, of this version or a later one.",
  })

const keyOf = ({ ledger: { issuer, unit_id }, record: { seq } }: FiledRecord): string => `${issuer}\n${unit_id}\n${seq}`

const inTrail = ({ record: one }: FiledRecord, { record: other }: FiledRecord): number =>
  one.at === other.at ? one.seq - other.seq : one.at < other.at ? -1 : 1

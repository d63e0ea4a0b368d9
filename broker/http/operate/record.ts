import * as z from "zod"
import { BrokerError } from "../../core/errors.ts"
import { covers } from "../../core/operator-scope.ts"
import type { Organisation } from "../../core/policy/model.ts"
import { exportRecord } from "../../operate/export-record.ts"
import { followed } from "../../operate/followed.ts"
import type { Operator } from "../../operate/operator.ts"
import { recordScopeOf } from "../../operate/record-scope.ts"
import type { LedgerEntry } from "../../ports/directory.ts"
import type { RecordTerms } from "../../ports/record-index.ts"
import {
  EXPORT_PATH,
  LEDGERS_PATH,
  MEDIA_TYPE_LINES,
  SEARCH_LIMIT,
  SEARCH_PATH,
  SEARCH_TERMS,
} from "../../wire/record.ts"
import { read } from "./read.ts"
import type { OperateRoutes } from "./routing.ts"

const word = z.string().min(1).max(1000)
const time = z.iso.datetime({ offset: true })
const count = (most: number) => z.coerce.number().int().min(1).max(most)

const listing = z.strictObject({ after: word.exactOptional(), limit: count(1000).default(1000) })
const search = z.strictObject({
  ...(Object.fromEntries(Object.keys(SEARCH_TERMS).map((name) => [name, word.exactOptional()])) as Record<
    keyof typeof SEARCH_TERMS,
    z.ZodExactOptional<z.ZodString>
  >),
  since: time.exactOptional(),
  until: time.exactOptional(),
  cursor: word.exactOptional(),
  limit: count(SEARCH_LIMIT).default(50),
})
const exporting = z.strictObject({
  unit: word.exactOptional(),
  unit_id: word.exactOptional(),
  since: time.exactOptional(),
  after: word.exactOptional(),
})

/** The record: which ledgers there are, search, export. Right: `audit.read`. All within the operator's scope. */
export const recordRoutes: OperateRoutes = ({ app, act, broker, directory, index }) => {
  const organisation = async () => (await broker.policySource.snapshot()).organisation

  app.get(LEDGERS_PATH, async (context) => {
    const { operator } = await act(context, "audit.read")
    const { ledgers, next } = await followed(directory).list(read(listing, context.req.query()))
    const issuers = await organisation()
    return Response.json({ ledgers: ledgers.filter((ledger) => isSeen(ledger, operator, issuers)).map(told), next })
  })

  app.get(SEARCH_PATH, async (context) => {
    const { operator } = await act(context, "audit.read")
    const { since, until, cursor, limit, ...terms } = read(search, context.req.query())
    const { found, next, archived } = await followed(index).search({
      ...termsOf(terms),
      scope: recordScopeOf(operator.scope, await organisation()),
      limit,
      ...(since === undefined ? {} : { since: Date.parse(since) }),
      ...(until === undefined ? {} : { until: Date.parse(until) }),
      ...(cursor === undefined ? {} : { cursor }),
    })
    const records = found.map(({ issuerUrl, unitId, record, leaf }) => ({
      ledger: { issuer: issuerUrl, unit_id: unitId },
      ...{ record, leaf },
    }))
    return Response.json({ records, next, archived })
  })

  app.get(EXPORT_PATH, async (context) => {
    const { operator } = await act(context, "audit.read")
    if (operator.scope.connections !== undefined) throw new BrokerError("not_allowed", WHOLE_LEDGERS)
    const { unit, unit_id, since, after } = read(exporting, context.req.query())
    const issuers = await organisation()
    const wanted = {
      includes: (ledger: LedgerEntry) =>
        (unit === undefined || ledger.unit === unit) &&
        (unit_id === undefined || ledger.unitId === unit_id) &&
        isSeen(ledger, operator, issuers),
      since: since === undefined ? null : Date.parse(since),
      after: after ?? null,
    }
    const lines = exportRecord(wanted, { directory: followed(directory), ledgers: broker.ledgers })
    // The first line is read before the answer begins, so that what fails at once has a status.
    const first = await lines.next()
    return new Response(streamOf(first, lines), { headers: { "content-type": MEDIA_TYPE_LINES } })
  })
}

const isSeen = (ledger: LedgerEntry, { scope }: Operator, { issuers }: Organisation): boolean =>
  covers(scope, { issuerUrl: ledger.issuerUrl, ownerId: ledger.ownerId ?? "", unitId: ledger.unitId }, issuers)

const termsOf = (terms: Readonly<Partial<Record<keyof typeof SEARCH_TERMS, string>>>): RecordTerms =>
  Object.fromEntries(
    Object.entries(terms).map(([name, value]) => [SEARCH_TERMS[name as keyof typeof SEARCH_TERMS], value]),
  )

const told = (ledger: LedgerEntry) => ({
  ledger: { issuer: ledger.issuerUrl, unit_id: ledger.unitId },
  unit: ledger.unit,
  unit_kind: ledger.unitKind,
  owner: ledger.owner,
  owner_id: ledger.ownerId,
  head: { seq: ledger.seq, chain: ledger.chain },
  latest_at: ledger.latestAt === 0 ? null : new Date(ledger.latestAt).toISOString(),
  open_leases: ledger.openLeases,
})

const encoder = new TextEncoder()
/** Lines that travel together. */
const CHUNK_CHARACTERS = 64 * 1024

/** One chunk at a time, when the client has taken the one before. */
function streamOf(first: IteratorResult<string>, lines: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  let next = first
  return new ReadableStream({
    async pull(controller) {
      let text = ""
      while (!next.done && text.length < CHUNK_CHARACTERS) {
        text += `${next.value}\n`
        next = await lines.next()
      }
      if (text !== "") controller.enqueue(encoder.encode(text))
      if (next.done) controller.close()
    },
    async cancel() {
      await lines.return(undefined)
    },
  })
}

const WHOLE_LEDGERS =
  "An export has the whole ledgers of units, and your grant is limited to connections. Search instead, or ask for a grant without connections in its scope."

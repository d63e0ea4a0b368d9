import type { ChainedRecord, Ledgers } from "../../ports/ledger.ts"
import type { FoundRecord, RecordScope } from "../../ports/record-index.ts"
import type { Match } from "./segment.ts"
import type { IndexedLedger, IndexStore } from "./store.ts"
import { type Clauses, isCovered, meets, termsOf } from "./terms.ts"

/** Records of a ledger that are this near to each other are read together. */
const RUN_RECORDS = 50
/** The edge opens so many connections for one request. */
const AT_ONCE = 6

/** What a record must meet to be shown. */
export interface Meant {
  readonly clauses: Clauses
  readonly scope: RecordScope
}

interface Run {
  readonly ledger: number
  first: number
  last: number
}

/**
 * Reads matches from their ledgers. A record that is not there any more, because it was archived or its ledger was set back, is
 * counted, and so is one that only shares a hash with what was asked for.
 */
export async function readFound(
  matches: readonly Match[],
  meant: Meant,
  store: IndexStore,
  ledgers: Ledgers,
): Promise<{ readonly found: readonly FoundRecord[]; readonly archived: number }> {
  const keys = new Map(
    (await store.ledgers([...new Set(matches.map(({ ledger }) => ledger))])).map((one) => [one.id, one]),
  )
  const texts = new Map<string, ChainedRecord>()
  const gone: Run[] = []
  const read = async ({ ledger, first, last }: Run) => {
    const key = keys.get(ledger)
    if (key === undefined) return
    const records = await ledgers.of(key.issuerUrl, key.unitId).auditTrail(first - 1, last - first + 1)
    for (const record of records) texts.set(`${ledger} ${record.record.seq}`, record)
    const begins = records[0]?.record.seq ?? Number.POSITIVE_INFINITY
    if (begins > first) gone.push({ ledger, first, last: Math.min(last, begins - 1) })
  }
  const runs = runsOf(matches)
  for (let at = 0; at < runs.length; at += AT_ONCE) await Promise.all(runs.slice(at, at + AT_ONCE).map(read))

  const found = matches.flatMap(({ ledger, seq }) => {
    const key = keys.get(ledger)
    const text = texts.get(`${ledger} ${seq}`)
    return key && text && isMeant(text, key, meant)
      ? [{ issuerUrl: key.issuerUrl, unitId: key.unitId, record: text.record, leaf: text.leaf }]
      : []
  })
  // Their connections are not known any more.
  const isTold = meant.scope.connections === undefined
  const isGone = ({ ledger, seq }: Match) =>
    gone.some((run) => run.ledger === ledger && run.first <= seq && seq <= run.last)
  return { found, archived: isTold ? matches.filter(isGone).length : 0 }
}

const isMeant = ({ record }: ChainedRecord, key: IndexedLedger, { clauses, scope }: Meant): boolean =>
  meets(clauses, termsOf(record, key, key)) && isCovered(record, scope)

function runsOf(matches: readonly Match[]): readonly Run[] {
  const runs: Run[] = []
  const sorted = [...matches].sort((one, other) => one.ledger - other.ledger || one.seq - other.seq)
  for (const { ledger, seq } of sorted) {
    const run = runs.at(-1)
    if (run?.ledger === ledger && seq - run.first < RUN_RECORDS) run.last = seq
    else runs.push({ ledger, first: seq, last: seq })
  }
  return runs
}

import type { Reader } from "../../ports/followed.ts"
import type { ChainedRecord } from "../../ports/ledger.ts"
import type { LastUse } from "../../ports/record-index.ts"
import type { IndexStore } from "./store.ts"
import { hashesOf, termsOf } from "./terms.ts"

/** The reader that fills the index. */
export const createIndexReader = (store: IndexStore): Reader => ({
  name: "index",
  from: "start",
  take: ({ ledger, records }) =>
    store.add(ledger, {
      rows: records.map(({ record }) => ({
        at: Date.parse(record.at),
        seq: record.seq,
        event: record.event,
        terms: hashesOf(termsOf(record, ledger, ledger)),
      })),
      uses: usesOf(records),
    }),
})

/** Each grant and connection that these records say was used, with the latest time. */
function usesOf(records: readonly ChainedRecord[]): readonly LastUse[] {
  const uses = new Map<string, LastUse>()
  for (const { record } of records) {
    if (record.event !== "exchange.minted") continue
    const at = Date.parse(record.at)
    for (const { name, connection } of record.grants) {
      uses.set(`grant ${name}`, { kind: "grant", name, at })
      uses.set(`connection ${connection}`, { kind: "connection", name: connection, at })
    }
  }
  return [...uses.values()]
}

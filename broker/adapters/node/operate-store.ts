import type { LedgerHead } from "../../ports/directory.ts"
import type { Health } from "../../ports/health.ts"
import type { Ledgers } from "../../ports/ledger.ts"
import type { OperateStore } from "../../ports/operate-store.ts"
import type { Reading } from "../../ports/sql.ts"
import { createIndexReader } from "../record-index/index-reader.ts"
import { StoredIndex } from "../record-index/search.ts"
import { SqlMarks } from "../sqlite/marks.ts"
import { SqlFollowStore } from "../sqlite/operate/follow-store.ts"
import { SqlIndexStore } from "../sqlite/operate/index-store.ts"
import { SqlTreeStore } from "../sqlite/operate/tree-store.ts"
import { SqlAlertQueue } from "../sqlite/outbound/alert-queue.ts"
import { OPERATE_FILE, type OperateFile } from "./operate-file.ts"

export interface OperateParts {
  readonly file: OperateFile
  readonly ledgers: Ledgers
  /** Heads of ledgers that have records after a row of the ledger's file, and that file's last row. */
  headsAfter(row: number): Promise<{ readonly heads: readonly LedgerHead[]; readonly row: number }>
}

/** What follows the ledger of a broker on Node, in a file beside it. */
export function createOperateStore({ file, ledgers, headsAfter }: OperateParts): OperateStore {
  const work: Reading = async (read) => read()
  const places = new SqlFollowStore(file, work)
  const indexStore = new SqlIndexStore(file, work)
  let row = 0
  let generation = 0
  return {
    directory: places,
    places,
    index: new StoredIndex(indexStore, ledgers),
    indexReader: createIndexReader(indexStore),
    trees: new SqlTreeStore(file, work),
    outbound: { queue: new SqlAlertQueue(file, work), marks: new SqlMarks(file, work, work) },
    health: { part: "index", look: async () => healthOf(file) },
    async lookForNew() {
      // Opens the file, if it is not.
      await places.list({ limit: 1 })
      if (file.generation !== generation) row = 0
      generation = file.generation
      const found = await headsAfter(row)
      await places.note(found.heads)
      row = found.row
    },
    // A data folder has one broker.
    leads: async () => true,
  }
}

function healthOf(file: OperateFile): Health {
  const since = file.failingSince
  if (since === null) return { state: "ok" }
  return {
    state: "degraded",
    reason: `${OPERATE_FILE} cannot be read or written: search, exports and alerts stand still. Check the disk and the permissions of the data folder`,
    since: since.toISOString(),
  }
}

import type { LedgerHead } from "../../ports/directory.ts"
import type { Ledgers } from "../../ports/ledger.ts"
import type { OperateStore } from "../../ports/operate-store.ts"
import { readCounts } from "../ledger/quotas.ts"
import { createIndexReader } from "../record-index/index-reader.ts"
import { StoredIndex } from "../record-index/search.ts"
import { PostgresAlertQueue } from "./alert-queue.ts"
import { PostgresFollowStore } from "./follow-store.ts"
import { PostgresIndexStore } from "./index-store.ts"
import { type OwnRows, PostgresMarks } from "./key-ring.ts"
import type { Row } from "./session.ts"
import { PostgresTreeStore } from "./tree-store.ts"

/** How long a broker follows before another may, by the server's clock, and when it renews that, by its own. */
const FOLLOWS_FOR = "30 seconds"
const RENEWED_AFTER_MS = 10_000
/** Heads of one look. */
const HEADS_AT_ONCE = 5000

type HeadRow = Row & {
  readonly issuer: string
  readonly unit_id: string
  readonly seq: number
  readonly chain: string
  readonly latest_at: number
  readonly quotas: string
}

/** What follows the ledgers of a database that several brokers share, in the same database. */
export function createPostgresOperateStore(rows: OwnRows, ledgers: Ledgers, broker: string): OperateStore {
  const places = new PostgresFollowStore(rows)
  const indexStore = new PostgresIndexStore(rows)
  /** Of `performance.now()`. */
  let renewedAt = Number.NEGATIVE_INFINITY
  return {
    directory: places,
    places,
    index: new StoredIndex(indexStore, ledgers),
    indexReader: createIndexReader(indexStore),
    trees: new PostgresTreeStore(rows),
    outbound: { queue: new PostgresAlertQueue(rows), marks: new PostgresMarks(rows, "outbound_marks") },
    // The ledger's own health tells when the database cannot be used.
    health: { part: "index", look: async () => ({ state: "ok" }) },
    async lookForNew() {
      await places.note(await rows.read((session) => session.run<HeadRow>(NEW_HEADS)).then(headsOf))
    },
    async leads() {
      if (performance.now() < renewedAt + RENEWED_AFTER_MS) return true
      const asked = performance.now()
      const { rows: mine } = await rows.write((session) =>
        session.run({
          text: `UPDATE daypass.follower SET broker = $1::text::uuid, follows_until = clock_timestamp() + interval '${FOLLOWS_FOR}'
            WHERE broker = $1::text::uuid OR follows_until IS NULL OR follows_until < clock_timestamp() RETURNING 1 AS one`,
          values: [broker],
        }),
      )
      if (mine.length === 0) return false
      renewedAt = asked
      return true
    },
  }
}

const NEW_HEADS = {
  text: `SELECT h.issuer, h.unit_id, h.seq, h.chain, h.latest_at, h.quotas FROM daypass.ledgers h
    LEFT JOIN daypass.followed_ledgers l ON l.issuer = h.issuer AND l.unit_id = h.unit_id
    WHERE l.seq IS DISTINCT FROM h.seq LIMIT ${HEADS_AT_ONCE}`,
}

const headsOf = ({ rows }: { readonly rows: readonly HeadRow[] }): readonly LedgerHead[] =>
  rows.map((row) => ({
    issuerUrl: row.issuer,
    unitId: row.unit_id,
    seq: row.seq,
    chain: row.chain,
    latestAt: row.latest_at,
    openLeases: readCounts(row.quotas).openLeases,
  }))

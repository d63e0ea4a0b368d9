import type { DirectoryWork } from "../adapters/cloudflare/directory.ts"
import { type Bucket, createBucketSink } from "../adapters/cloudflare/export-bucket.ts"
import { createIndexReader } from "../adapters/record-index/index-reader.ts"
import { StoredIndex } from "../adapters/record-index/search.ts"
import { SqlMarks } from "../adapters/sqlite/marks.ts"
import { SqlCounts } from "../adapters/sqlite/operate/counts.ts"
import { SqlFollowStore } from "../adapters/sqlite/operate/follow-store.ts"
import { SqlIndexStore } from "../adapters/sqlite/operate/index-store.ts"
import { migrateOperate } from "../adapters/sqlite/operate/schema.ts"
import { SqlTreeStore } from "../adapters/sqlite/operate/tree-store.ts"
import { SqlAlertQueue } from "../adapters/sqlite/outbound/alert-queue.ts"
import { createHttp } from "../adapters/web/http.ts"
import type { Broker } from "../exchange/broker.ts"
import { Follower } from "../operate/follow.ts"
import type { Documents } from "../ports/documents.ts"
import type { Reading, Sql } from "../ports/sql.ts"
import { LedgerLooks } from "./edge-looks.ts"
import { createFollowing } from "./following.ts"
import { USER_AGENT } from "./instance.ts"

/** The records of a burst are followed together. */
const FOLLOW_AFTER_MS = 1000
/** What one alarm does: some 5000 records, in about 0.1 s of processor time. */
const BATCHES_PER_ALARM = 20

export interface DirectoryParts {
  readonly broker: Broker
  readonly documents: Documents
  /** The Worker's bindings, among them the buckets that the organisation file names. */
  readonly env: object
}

/** What the directory's object does, over its own SQLite database. */
export function createDirectoryWork(sql: Sql, { broker, documents, env }: DirectoryParts): DirectoryWork {
  migrateOperate(sql)
  const reading: Reading = async (work) => work()
  const places = new SqlFollowStore(sql, reading)
  const indexStore = new SqlIndexStore(sql, reading)
  const index = new StoredIndex(indexStore, broker.ledgers)
  const counts = new SqlCounts(sql)
  const http = createHttp({ userAgent: USER_AGENT })
  const { checkpoints, outbound, work, totals } = createFollowing({
    broker,
    documents,
    store: {
      ...{ directory: places, places },
      indexReader: createIndexReader(indexStore),
      trees: new SqlTreeStore(sql, reading),
      outbound: { queue: new SqlAlertQueue(sql, reading), marks: new SqlMarks(sql, reading, reading) },
    },
    httpTo: () => http,
    sinkOf(target) {
      const bucket = target.kind === "r2" ? bucketIn(env, target.binding) : null
      return target.kind === "r2" && bucket !== null ? createBucketSink(bucket, target.binding, target.prefix) : null
    },
  })
  const follower = new Follower({ ...broker, store: places, ...work })
  const looks = new LedgerLooks(sql, { broker, places })
  const now = () => broker.clock.now().getTime()

  return {
    list: (page) => places.list(page),
    entry: (key) => places.entry(key),
    search: (query) => index.search(query),
    hours: (query) => index.hours(query),
    lastUse: (key) => index.lastUse(key),
    count: async (more) => counts.add(more),
    counted: async () => counts.read(),
    totals,
    latest: () => checkpoints.latest(),
    policy: () => checkpoints.policy(),
    since: (old) => checkpoints.since(old),
    signReport: (sha256, at) => checkpoints.signReport(sha256, at),
    prove: (ledger, seq) => checkpoints.prove(ledger, seq),
    ...outbound,
    async report(heads) {
      await follower.note(heads)
      looks.told(heads)
      return now() + FOLLOW_AFTER_MS
    },
    async follow() {
      // Policies that cannot be loaded now are learnt from by a later round.
      await looks.learn().catch(() => {})
      await looks.lookAll()
      const { goesOn, dueAt } = await follower.round(BATCHES_PER_ALARM)
      if (goesOn) return now()
      const times = [looks.nextAt(), dueAt].filter((at) => at !== null)
      return times.length === 0 ? null : Math.min(...times)
    },
  }
}

/** A bucket under a name that the organisation file chose: anything else under that name is none. */
function bucketIn(env: object, binding: string): Bucket | null {
  const bound = (env as Readonly<Record<string, unknown>>)[binding]
  const isBucket = typeof bound === "object" && bound !== null && "put" in bound && "createMultipartUpload" in bound
  return isBucket ? (bound as Bucket) : null
}

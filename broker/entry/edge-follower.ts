import type { DirectoryWork } from "../adapters/cloudflare/directory.ts"
import { type Bucket, createBucketSink } from "../adapters/cloudflare/export-bucket.ts"
import { createIndexReader } from "../adapters/record-index/index-reader.ts"
import { StoredIndex } from "../adapters/record-index/search.ts"
import { SqlCounts } from "../adapters/sqlite/operate/counts.ts"
import { SqlFollowStore } from "../adapters/sqlite/operate/follow-store.ts"
import { SqlIndexStore } from "../adapters/sqlite/operate/index-store.ts"
import { migrateOperate } from "../adapters/sqlite/operate/schema.ts"
import { SqlTreeStore } from "../adapters/sqlite/operate/tree-store.ts"
import { SqlAlertQueue } from "../adapters/sqlite/outbound/alert-queue.ts"
import { SqlOutboundMarks } from "../adapters/sqlite/outbound/marks.ts"
import { createHttp } from "../adapters/web/http.ts"
import type { Broker } from "../exchange/broker.ts"
import { OWN_LEDGER_UNIT } from "../operate/act.ts"
import { Archive } from "../operate/archive.ts"
import { Follower } from "../operate/follow.ts"
import type { LedgerHead, LedgerKey } from "../ports/directory.ts"
import type { Documents } from "../ports/documents.ts"
import type { PolicySnapshot } from "../ports/policy-source.ts"
import type { Reading, Sql } from "../ports/sql.ts"
import { keepCheckpoints } from "./checkpoints.ts"
import { USER_AGENT } from "./instance.ts"
import { createOutbound } from "./outbound.ts"
import { readersOf } from "./readers.ts"

/** The records of a burst are followed together. */
const FOLLOW_AFTER_MS = 1000
/**
 * A ledger tells of itself at most every 5 seconds, so its last records may come without a word. It is looked at again after
 * this time, until it has nothing new.
 */
const LOOK_AGAIN_MS = 6000
/** After a look that failed. */
const LOOK_LATER_MS = 10_000
/** What one alarm does: some 5000 records, in about 0.1 s of processor time. */
const BATCHES_PER_ALARM = 20
const LOOKS_PER_ALARM = 50
/** Records of one look. More are found by the follower. */
const LOOK_RECORDS = 250

export interface DirectoryParts {
  readonly broker: Broker
  readonly documents: Documents
  /** The bucket that is bound to a name; null without one. */
  bucketOf(binding: string): Bucket | null
}

type LookRow = { readonly issuer: string; readonly unit_id: string; readonly at: number }

/** What the directory's object does, over its own SQLite database. */
export function createDirectoryWork(sql: Sql, { broker, documents, bucketOf }: DirectoryParts): DirectoryWork {
  migrateOperate(sql)
  sql.run("CREATE TABLE IF NOT EXISTS learnt (id INTEGER PRIMARY KEY) STRICT")
  sql.run(`CREATE TABLE IF NOT EXISTS looks (
    issuer TEXT NOT NULL, unit_id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (issuer, unit_id)
  ) STRICT, WITHOUT ROWID`)
  const reading: Reading = async (work) => work()
  const places = new SqlFollowStore(sql, reading)
  const indexStore = new SqlIndexStore(sql, reading)
  const index = new StoredIndex(indexStore, broker.ledgers)
  const http = createHttp({ userAgent: USER_AGENT })
  const store = { queue: new SqlAlertQueue(sql, reading), marks: new SqlOutboundMarks(sql, reading) }
  const outbound = createOutbound(broker, store, {
    httpTo: () => http,
    sinkOf(target) {
      const bucket = target.kind === "r2" ? bucketOf(target.binding) : null
      return target.kind === "r2" && bucket !== null ? createBucketSink(bucket, target.binding, target.prefix) : null
    },
  })
  const trees = new SqlTreeStore(sql, reading)
  const keeping = keepCheckpoints({ broker, documents, trees })
  const archive = new Archive({ broker, directory: places, places, trees })
  const { checkpoints } = keeping
  const office = { broker, documents, directory: places }
  const readers = [...readersOf({ indexReader: createIndexReader(indexStore) }, office, keeping), ...outbound.readers]
  const changing = () => outbound.exports.readers()
  const follower = new Follower({ ...broker, store: places, readers, changing, archive })
  const counts = new SqlCounts(sql)
  const now = () => broker.clock.now().getTime()

  const lookAt = ({ issuerUrl, unitId }: LedgerKey, at: number): void =>
    sql.run(
      "INSERT INTO looks (issuer, unit_id, at) VALUES (?, ?, ?) ON CONFLICT (issuer, unit_id) DO UPDATE SET at = excluded.at",
      issuerUrl,
      unitId,
      at,
    )

  /**
   * Finds what a ledger did not tell of. It is looked at again while there was something. Reports come while this waits for the
   * ledger, so what was noted is read again afterwards, and a later look stays.
   */
  async function look(key: LedgerKey, due: number): Promise<void> {
    const ledger = broker.ledgers.of(key.issuerUrl, key.unitId)
    const last = (await ledger.auditTrail((await places.entry(key))?.seq ?? 0, LOOK_RECORDS)).at(-1)
    const { openLeases } = await ledger.standing(now())
    const entry = await places.entry(key)
    if (last && last.record.seq > (entry?.seq ?? 0)) {
      const { record, chain } = last
      await places.note([{ ...key, seq: record.seq, chain, latestAt: Date.parse(record.at), openLeases }])
      lookAt(key, now() + LOOK_AGAIN_MS)
      return
    }
    if (entry) await places.note([{ ...entry, openLeases }])
    sql.run("DELETE FROM looks WHERE issuer = ? AND unit_id = ? AND at <= ?", key.issuerUrl, key.unitId, due)
  }

  async function lookAll(): Promise<void> {
    const due = sql.all<LookRow>(
      "SELECT issuer, unit_id, at FROM looks WHERE at <= ? ORDER BY at LIMIT ?",
      now(),
      LOOKS_PER_ALARM,
    )
    for (const { issuer, unit_id, at } of due) {
      const key = { issuerUrl: issuer, unitId: unit_id }
      await look(key, at).catch(() => lookAt(key, now() + LOOK_LATER_MS))
    }
  }

  /**
   * A lost directory knows no ledger, and one that is not used does not tell of itself. So the deployment's own ledger and units
   * that policies name by their ids are looked for once; all others tell of themselves with their next exchange.
   */
  async function learn(): Promise<void> {
    if (sql.all("SELECT id FROM learnt").length > 0) return
    const own = { issuerUrl: broker.url, unitId: OWN_LEDGER_UNIT }
    for (const unit of [own, ...unitsOf(await broker.policySource.snapshot())]) lookAt(unit, now())
    sql.run("INSERT INTO learnt (id) VALUES (1)")
  }

  return {
    list: (page) => places.list(page),
    entry: (key) => places.entry(key),
    search: (query) => index.search(query),
    hours: (query) => index.hours(query),
    lastUse: (key) => index.lastUse(key),
    count: async (more) => counts.add(more),
    counted: async () => counts.read(),
    totals: async () => places.totals([...readers, ...(await changing())].map(({ name }) => name)),
    latest: () => checkpoints.latest(),
    policy: () => checkpoints.policy(),
    since: (old) => checkpoints.since(old),
    signReport: (sha256, at) => checkpoints.signReport(sha256, at),
    prove: (ledger, seq) => checkpoints.prove(ledger, seq),
    ...outbound.desk,
    async report(heads: readonly LedgerHead[]) {
      await follower.note(heads)
      for (const head of heads) lookAt(head, now() + LOOK_AGAIN_MS)
      return now() + FOLLOW_AFTER_MS
    },
    async follow() {
      // Policies that cannot be loaded now are learnt from by a later round.
      await learn().catch(() => {})
      await lookAll()
      const { goesOn, dueAt } = await follower.round(BATCHES_PER_ALARM)
      if (goesOn) return now()
      const [next] = sql.all<{ at: number | null }>("SELECT min(at) AS at FROM looks")
      const times = [next?.at ?? null, dueAt].filter((at) => at !== null)
      return times.length === 0 ? null : Math.min(...times)
    },
  }
}

function unitsOf({ policies = [], organisation, units }: PolicySnapshot): readonly LedgerKey[] {
  const named = policies.flatMap(({ issuer, target }) =>
    target.kind === "unit" ? [{ issuer, unitId: target.id }] : [],
  )
  return [...named, ...(units?.() ?? [])].flatMap(({ issuer, unitId }) => {
    const issuerUrl = organisation.issuers.get(issuer)?.url
    return issuerUrl === undefined ? [] : [{ issuerUrl, unitId }]
  })
}

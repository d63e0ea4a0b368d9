import { statSync } from "node:fs"
import { join } from "node:path"
import { OPERATE_FILE, OperateFile } from "../../broker/adapters/node/operate-file.ts"
import { createIndexReader } from "../../broker/adapters/record-index/index-reader.ts"
import { StoredIndex } from "../../broker/adapters/record-index/search.ts"
import { SqlFollowStore } from "../../broker/adapters/sqlite/operate/follow-store.ts"
import { SqlIndexStore } from "../../broker/adapters/sqlite/operate/index-store.ts"
import type { AuditRecord } from "../../broker/core/audit-record.ts"
import { Follower } from "../../broker/operate/follow.ts"
import type { ChainedRecord, Ledgers } from "../../broker/ports/ledger.ts"
import type { RecordQuery } from "../../broker/ports/record-index.ts"
import type { Reading } from "../../broker/ports/sql.ts"
import { draft } from "../core/audit-fixture.ts"
import { TestClock } from "../support/clock.ts"
import type { Bench, Section } from "./section.ts"

const UNITS = 1000
const RUNS = 3
const START = Date.parse("2026-01-01T00:00:00Z")
const HALF_A_YEAR_MS = 180 * 86_400_000

/** Filling the index of what follows the ledgers, and searching it: 100,000 records, with `--long` a million. */
export async function measureRecord({ folder, long }: Pick<Bench, "folder" | "long">): Promise<Section> {
  const perUnit = long ? 1000 : 100
  const file = new OperateFile(folder, () => {})
  const reading: Reading = async (work) => work()
  const places = new SqlFollowStore(file, reading)
  const indexStore = new SqlIndexStore(file, reading)
  const ledgers = madeUpLedgers(perUnit)
  const index = new StoredIndex(indexStore, ledgers)
  const parts = { store: places, ledgers, readers: [createIndexReader(indexStore)], clock: new TestClock(START) }
  const follower = new Follower({ ...parts, log: () => {} })
  await follower.note(
    Array.from({ length: UNITS }, (_, unit) => ({
      ...{ issuerUrl: "https://ci.example", unitId: `${unit}`, seq: perUnit, chain: "", latestAt: 0, openLeases: 0 },
    })),
  )
  const before = process.cpuUsage()
  while ((await follower.round(1000)).goesOn) {}
  const { user, system } = process.cpuUsage(before)

  const figures: Record<string, number> = {
    records: UNITS * perUnit,
    fill_cpu_ms: (user + system) / 1000,
    rss_mb: process.memoryUsage().rss / 1e6,
  }
  for (const [name, query] of Object.entries(QUERIES)) figures[`${name}_ms`] = await least(() => index.search(query))
  figures["hours_of_all_ms"] = await least(() => index.hours({}))
  file.close()
  // Closing copies the log into the file.
  figures["index_mb"] = statSync(join(folder, OPERATE_FILE)).size / 1e6
  return { figures }
}

const QUERIES: Readonly<Record<string, RecordQuery>> = {
  newest: { limit: 50 },
  unit: { unit: "acme/repo-77", limit: 50 },
  actor_and_connection: { actor: "user-33", connection: "npm", limit: 50 },
  lease: { lease: "lease 500 20", limit: 50 },
  nothing: { lease: "there is none", limit: 50 },
  // Both are common, and no record has them together: everything is read.
  common_but_never_together: { event: "lease.closed", connection: "npm", limit: 50 },
}

async function least(search: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < RUNS; run++) {
    const begun = performance.now()
    await search()
    least = Math.min(least, performance.now() - begun)
  }
  return least
}

/** Ledgers whose records are made when they are read: an exchange and the end of its lease, over half a year. */
function madeUpLedgers(perUnit: number): Ledgers {
  const recordOf = (unit: number, seq: number): AuditRecord => {
    const exchange = Math.floor((seq - 1) / 2)
    const isMinted = seq % 2 === 1
    const connection = exchange % 3 === 0 ? "npm" : "aws-prod"
    const grant = {
      name: `to ${connection}`,
      connection,
      provider: "aws",
      resource: `role ${unit % 50}`,
      ttl_seconds: 900,
    }
    const made = draft({ request_id: `${unit} ${exchange}` })
    const { identity } = made
    return {
      ...made,
      seq,
      at: new Date(START + Math.floor(((seq - 1) / perUnit) * HALF_A_YEAR_MS) + unit * 37).toISOString(),
      event: isMinted ? "exchange.minted" : "lease.closed",
      lease: `lease ${unit} ${exchange}`,
      reason: isMinted ? "minted" : "revoked",
      grants: isMinted ? [grant] : [],
      identity: identity && {
        ...identity,
        ...{ unit: `acme/repo-${unit}`, unit_id: `${unit}`, actor: `user-${(unit * 7 + exchange) % 400}` },
        run_id: `${unit}${exchange}`,
      },
    }
  }
  const auditTrail = async (unitId: string, after: number, limit: number): Promise<readonly ChainedRecord[]> =>
    Array.from({ length: Math.max(0, Math.min(limit, perUnit - after)) }, (_, at) => ({
      ...{ record: recordOf(Number(unitId), after + 1 + at), leaf: "", chain: "" },
    }))
  return {
    of: (_, unitId) =>
      ({ auditTrail: (after: number, limit: number) => auditTrail(unitId, after, limit) }) as unknown as ReturnType<
        Ledgers["of"]
      >,
  }
}

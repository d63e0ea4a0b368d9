import { randomBytes } from "node:crypto"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import postgres from "postgres"
import { sha256 } from "../../broker/adapters/node/sha256.ts"
import { openStoppedLedger } from "../../broker/adapters/node/stopped-ledger.ts"
import { readDatabaseAddress } from "../../broker/adapters/postgres/address.ts"
import { copyLedger } from "../../broker/adapters/postgres/copy.ts"
import type { Postgres } from "../interop/postgres.ts"
import { type NodeBroker, startNodeBroker } from "../support/broker-node.ts"
import { seedDueLeases } from "../support/due-leases.ts"
import { cpuTimeOf } from "./processes.ts"
import type { Bench } from "./section.ts"

const DEPLOYMENT = "bench"
const POLL_MS = 250

/** What only expires: many due leases in one ledger, and one each in many, which two brokers can share. */
const CASES = {
  expiring_one_unit: { units: 1, leasesEach: 100_000, brokers: 1 },
  expiring_10000_units: { units: 10_000, leasesEach: 1, brokers: 1 },
  expiring_10000_units_two_brokers: { units: 10_000, leasesEach: 1, brokers: 2 },
} as const satisfies Readonly<Record<string, Case>>

interface Case {
  readonly units: number
  readonly leasesEach: number
  readonly brokers: number
}

/** Brokers on PostgreSQL that find due leases at their start and do nothing else: how fast they end them. */
export async function measureSweepOnPostgres(server: Postgres, bench: Bench): Promise<Record<string, number>> {
  const figures: Record<string, number> = {}
  for (const [name, one] of Object.entries(CASES)) {
    const { perSecond, cpuMs } = await measureCase(name, one, server, bench)
    figures[`sweep_${name}_leases_per_second`] = perSecond
    figures[`sweep_${name}_broker_cpu_ms_each`] = cpuMs
  }
  return figures
}

async function measureCase(name: string, one: Case, server: Postgres, bench: Bench) {
  await server.query(`CREATE DATABASE ${name}`)
  const address = readDatabaseAddress(server.url(name), undefined)
  if (!address.ok) throw new Error(address.fault)
  const data = join(bench.folder, name)
  await seedDueLeases(data, { issuer: bench.issuer.issuer, units: one.units, leasesEach: one.leasesEach })
  const source = openStoppedLedger(data, Date.now())
  await copyLedger(source.sql, address.value, sha256, async (lines) => {
    for await (const _ of lines);
  })
  source.close()

  const options = {
    policies: bench.policies,
    store: server.url(name),
    kek: randomBytes(32).toString("base64"),
    settings: { DAYPASS_DEPLOYMENT: DEPLOYMENT },
  }
  const brokers = await Promise.all(Array.from({ length: one.brokers }, () => startNodeBroker(options)))
  const reader = postgres(server.url(name), { max: 1 })
  try {
    const now = () => progressOf(reader, brokers)
    const from = await now()
    let last = from
    while (last.ended < one.units * one.leasesEach) {
      await sleep(POLL_MS)
      last = await now()
    }
    const ended = last.ended - from.ended
    return { perSecond: (ended * 1000) / (last.at - from.at), cpuMs: (last.cpuMs - from.cpuMs) / ended }
  } finally {
    await reader.end()
    await Promise.all(brokers.map((broker) => broker.crash()))
  }
}

/** How many leases have ended, each with one record in its ledger's chain, and the brokers' processor time until then. */
async function progressOf(reader: postgres.Sql, brokers: readonly NodeBroker[]) {
  const [row] = await reader`SELECT coalesce(sum(seq), 0) AS records FROM daypass.ledgers`
  const cpuMs = cpuTimeOf(brokers.map(({ pid }) => pid))?.all ?? Number.NaN
  return { ended: Number(row?.["records"]), at: performance.now(), cpuMs }
}

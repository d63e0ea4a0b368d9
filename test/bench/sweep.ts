import { randomBytes } from "node:crypto"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { nodeCryptography } from "../../broker/adapters/node/cryptography.ts"
import { NodeSql, openLedgerFileReadOnly } from "../../broker/adapters/node/sqlite.ts"
import { Secret } from "../../broker/core/secret.ts"
import { createSealer } from "../../broker/signing/sealer.ts"
import { type NodeBroker, startNodeBroker } from "../support/broker-node.ts"
import { type DueLeases, seedDueLeases } from "../support/due-leases.ts"
import { startServer } from "../support/servers.ts"
import { plainShots } from "./exchanges.ts"
import { median } from "./race.ts"
import { atLeast, type Bench, type Curve, type Section } from "./section.ts"
import { measureObject } from "./sweep-edge.ts"

const DEPLOYMENT = "bench"
const SHOTS = 500
const ROUNDS = 5
const POLL_MS = 200

/** Many due leases in one ledger, and one each in many; what only expires, and what a vendor must revoke. */
const CASES = {
  expiring_one_unit: { units: 1, leasesEach: 100_000, isRevocable: false },
  expiring_10000_units: { units: 10_000, leasesEach: 1, isRevocable: false },
  revocable_one_unit: { units: 1, leasesEach: 100_000, isRevocable: true },
  revocable_10000_units: { units: 10_000, leasesEach: 1, isRevocable: true },
} as const satisfies Readonly<Record<string, Case>>

/** Fewer, because one object has one thread. */
const AT_THE_EDGE = {
  workerd_expiring_one_unit: { leasesEach: 20_000, isRevocable: false },
  workerd_revocable_one_unit: { leasesEach: 3000, isRevocable: true },
} as const

/** For the curve. */
const GROWTH = [3000, 10_000, 30_000]

interface Case {
  readonly units: number
  readonly leasesEach: number
  readonly isRevocable: boolean
}

/** A broker on Node that finds due leases at its start: how fast it ends them, and what that costs exchanges beside it. */
export async function measureSweep(bench: Bench): Promise<Section> {
  const place = await placeOf(bench)
  const measured: Awaited<ReturnType<typeof measureCase>>[] = []
  for (const name of Object.keys(CASES) as (keyof typeof CASES)[]) measured.push(await measureCase(name, place, bench))
  const figures = Object.assign({}, ...measured.map(({ figures }) => figures)) as Record<string, number>
  for (const [name, { leasesEach, isRevocable }] of Object.entries(AT_THE_EDGE)) {
    const due = place.seeded({ units: 1, leasesEach, isRevocable })
    const settings = { DAYPASS_DEPLOYMENT: DEPLOYMENT, DAYPASS_KEK: place.kek }
    const folder = join(bench.folder, name)
    mkdirSync(folder)
    figures[`${name}_leases_per_second`] = await measureObject(folder, settings, due, bench)
  }
  const idleOf = (name: keyof typeof CASES) => measured.find((one) => one.name === name)?.idle ?? Number.NaN
  return {
    rows: measured.map(({ row }) => row),
    figures,
    unmeasured: [
      "workerd with 10,000 objects of one due lease each: each has an alarm of its own, and waits for no other",
    ],
    curves: [await curveOf(idleOf("expiring_one_unit"), idleOf("revocable_one_unit"), place, bench)],
  }
}

/** The last point of each line is a case that was measured. */
async function curveOf(expiring: number, revocable: number, place: Place, bench: Bench): Promise<Curve> {
  const line = async (name: string, isRevocable: boolean, last: number) => {
    const points: [leases: number, perSecond: number][] = []
    for (const leasesEach of GROWTH) {
      const growing = { units: 1, leasesEach, isRevocable }
      points.push([leasesEach, await measureIdle(`${name}_${leasesEach}`, growing, place, bench)])
    }
    return { name, points: [...points, [CASES.expiring_one_unit.leasesEach, last] as const] }
  }
  return {
    file: "sweep",
    title: "Sweep of one repository on Node",
    x: { label: "due leases", scale: "log10" },
    y: { label: "leases ended a second" },
    lines: [await line("only expire", false, expiring), await line("revoked at a vendor", true, revocable)],
  }
}

async function measureCase(name: keyof typeof CASES, place: Place, bench: Bench) {
  const one = CASES[name]
  const idle = await measureIdle(name, one, place, bench)
  const { swept, ratio, p99 } = await measureBeside(name, one, place, bench)
  return {
    name,
    idle,
    row: atLeast(`exchanges beside a sweep, against alone: ${name}`, ratio, 0.9),
    figures: {
      [`${name}_leases_per_second`]: idle,
      [`${name}_leases_per_second_beside_exchanges`]: swept,
      [`${name}_exchange_p99_alone_ms`]: p99.alone,
      [`${name}_exchange_p99_beside_ms`]: p99.beside,
    },
  }
}

interface Place {
  readonly kek: string
  readonly seeded: (one: Case) => DueLeases
}

async function placeOf({ ends, issuer }: Bench): Promise<Place> {
  const kek = randomBytes(32)
  const sealer = await createSealer(new Secret(Uint8Array.from(kek)), DEPLOYMENT, nodeCryptography)
  const vendor = await startServer(
    async (request, response) => {
      const revokes = request.method === "DELETE" && request.url === "/installation/token"
      response.writeHead(revokes ? 204 : 404).end()
    },
    () => {},
  )
  ends.defer(() => vendor.close())
  return {
    kek: kek.toString("base64"),
    seeded: ({ units, leasesEach, isRevocable }) => ({
      issuer: issuer.issuer,
      units,
      leasesEach,
      ...(isRevocable ? { vendor: { apiUrl: vendor.url, sealer } } : {}),
    }),
  }
}

const start = (data: string, { kek }: Place, bench: Bench) =>
  startNodeBroker({ policies: bench.policies, data, kek, settings: { DAYPASS_DEPLOYMENT: DEPLOYMENT } })

/** Leases a second while the broker does nothing else. */
async function measureIdle(name: string, one: Case, place: Place, bench: Bench): Promise<number> {
  const data = join(bench.folder, `${name}-idle`)
  await seedDueLeases(data, place.seeded(one))
  const broker = await start(data, place, bench)
  try {
    const progress = progressOf(data, one)
    const from = { leases: progress.ended(), at: performance.now() }
    const all = one.units * one.leasesEach
    while (progress.ended() < all) await sleep(POLL_MS)
    progress.close()
    return ((all - from.leases) * 1000) / (performance.now() - from.at)
  } finally {
    await broker.crash()
  }
}

/**
 * Exchanges of a broker that sweeps against those of one that has nothing to sweep, in turns. The one whose turn it is not is
 * stopped, so that it takes no processor from the other.
 */
async function measureBeside(name: string, one: Case, place: Place, bench: Bench) {
  const data = join(bench.folder, `${name}-beside`)
  await seedDueLeases(data, place.seeded(one))
  const alone = await start(join(bench.folder, `${name}-alone`), place, bench)
  const beside = await start(data, place, bench)
  const progress = progressOf(data, one)
  try {
    const rounds = { alone: [] as number[], beside: [] as number[] }
    const p99 = { alone: [] as number[], beside: [] as number[] }
    let swept = 0
    let sweptMs = 0
    for (let turn = 0; turn <= ROUNDS; turn++) {
      for (const [which, broker] of [
        ["alone", alone],
        ["beside", beside],
      ] as const) {
        const shots = await plainShots(bench, broker.url)(SHOTS)
        resume(broker)
        const before = { leases: progress.ended(), at: performance.now() }
        const fired = await bench.load.fire(broker.url, shots)
        if (which === "beside") {
          // A round that began after the last lease has no sweep beside it.
          if (before.leases >= one.units * one.leasesEach) continue
          swept += progress.ended() - before.leases
          sweptMs += performance.now() - before.at
        }
        pause(broker)
        if (turn === 0) continue
        rounds[which].push(fired.requests_per_second)
        p99[which].push(fired.p99_ms)
      }
      if (turn === 0) pause(alone)
    }
    const ratio = median(rounds.beside.map((rate, turn) => rate / (rounds.alone[turn] ?? Number.NaN)))
    return {
      ratio,
      swept: (swept * 1000) / sweptMs,
      p99: { alone: median(p99.alone), beside: median(p99.beside) },
    }
  } finally {
    progress.close()
    await Promise.all([alone.crash(), beside.crash()])
  }
}

const pause = ({ pid }: NodeBroker) => void process.kill(pid, "SIGSTOP")
const resume = ({ pid }: NodeBroker) => void process.kill(pid, "SIGCONT")

/** How many leases were ended, by the lengths of the ledgers' chains: one record for what expired, two for what was revoked. */
function progressOf(data: string, { isRevocable }: Case) {
  const sql = new NodeSql(openLedgerFileReadOnly(data))
  const recordsEach = isRevocable ? 2 : 1
  const text = "SELECT sum(seq) AS records FROM ledgers WHERE repository_id <> '41'"
  return {
    ended: () => (sql.all<{ records: number | null }>(text)[0]?.records ?? 0) / recordsEach,
    close: () => sql.database.close(),
  }
}

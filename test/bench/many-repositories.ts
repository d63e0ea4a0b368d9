import { randomBytes } from "node:crypto"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"
import { bundleWorker } from "../support/worker-bundle.ts"
import type { Bench, Section } from "./section.ts"
import { atMost } from "./section.ts"
import { startWorkerd, type WorkerdProcess } from "./workerd-binary.ts"

const FEW = 1_000
const MANY = 10_000
/** Tokens are good for five minutes, and a slow machine needs many seconds for so many. */
const TOKENS_AT_ONCE = 500
/** After this time without a call, the runtime ends an object. */
const IDLE_MS = 15_000
/** Every lease is over in this run: at the end of its granted time, its object's alarm closes it. */
const TTL_SECONDS = 20
const ENDED_MS = 60_000
/** How much more memory many repositories may take than the first few. */
const MEMORY_BUDGET = 2

const POLICY = `version: 1
repository: acme/*
environment: production
allow:
  - name: deploy from main
    when: { ref: refs/heads/main }
    grants: [token]
grants:
  token: { connection: broker, audience: "https://vault.example.com", ttl: ${TTL_SECONDS}s }
`

/** One object each for 10,000 repositories, in one process of workerd: its memory, and the end of every lease by an alarm. */
export async function measureManyRepositories(bench: Bench): Promise<Section> {
  const policies = join(bench.folder, "policies")
  mkdirSync(policies)
  writeFileSync(join(policies, "daypass.yaml"), organisation(bench.issuer.issuer))
  writeFileSync(join(policies, "all.yaml"), POLICY)
  const folder = join(bench.folder, "workerd")
  mkdirSync(folder)
  const worker = await startWorkerd({
    folder,
    script: await bundleWorker(policies),
    objects: { LEDGER: "Ledger", KEY_RING: "KeyRing" },
    texts: (url) => ({ DAYPASS_URL: url, DAYPASS_KEK: randomBytes(32).toString("base64") }),
    ready: "/healthz",
  })
  bench.ends.defer(() => worker.stop())

  const memory = sampled(worker)
  bench.ends.defer(() => memory.stop())
  const empty = megabytes(worker)
  await exchangeOf(bench, worker, 0, FEW)
  const few = { ...megabytes(worker), ...worker.memory() }
  await sleep(IDLE_MS)
  const idle = { ...megabytes(worker), ...worker.memory() }
  await exchangeOf(bench, worker, FEW, MANY)
  await sleep(ENDED_MS)
  const many = megabytes(worker)
  const { bytes, objects } = worker.stored("Ledger")
  memory.stop()
  await worker.stop()

  const open = openLeases(join(folder, "objects/Ledger"))
  if (open > 0) throw new Error(`${open} leases were not ended by the alarm of their object`)
  return {
    rows: [atMost("memory of workerd: most with 10,000 repositories against most with 1,000", memory.most() / few.mb, MEMORY_BUDGET)],
    figures: {
      repositories_0_mb: empty.mb,
      repositories_1000_mb: few.mb,
      repositories_1000_open_files: few.files,
      idle_mb: idle.mb,
      idle_open_files: idle.files,
      repositories_10000_most_mb: memory.most(),
      repositories_10000_ended_mb: many.mb,
      disk_kb_of_a_repository: Math.round(bytes / objects / 1024),
    },
    curves: [
      {
        file: "workerd-memory",
        title: "Memory of workerd while 10,000 repositories exchange once each",
        x: { label: "seconds" },
        y: { label: "MB, resident" },
        lines: [{ name: "workerd", points: memory.points }],
      },
    ],
  }
}

const organisation = (issuer: string) => `version: 1
issuers:
  github: { family: github-actions, url: ${issuer}, owners: { acme: "9001" } }
connections:
  broker: { provider: identity-token, audiences: ["https://vault.example.com"] }
`

async function exchangeOf(bench: Bench, worker: WorkerdProcess, from: number, to: number): Promise<void> {
  const body = JSON.stringify({ grants: ["token"] })
  for (let first = from; first < to; first += TOKENS_AT_ONCE) {
    const count = Math.min(TOKENS_AT_ONCE, to - first)
    const tokens = bench.issuer.mint(count, worker.url, (index) => ({
      repository: `acme/repository-${first + index}`,
      repository_id: String(1_000 + first + index),
    }))
    await bench.load.fire(
      worker.url,
      tokens.map((token) => ({ token, body })),
    )
  }
}

const megabytes = (worker: WorkerdProcess) => ({ mb: Math.round(worker.memory().rss / 1024 / 1024) })

function sampled(worker: WorkerdProcess) {
  const from = performance.now()
  const points: [number, number][] = []
  const timer = setInterval(() => {
    points.push([Math.round((performance.now() - from) / 1000), megabytes(worker).mb])
  }, 1000)
  return {
    points,
    most: () => Math.max(...points.map(([, mb]) => mb)),
    stop: () => clearInterval(timer),
  }
}

/** Leases without an end, in all databases of a folder. */
function openLeases(folder: string): number {
  let open = 0
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".sqlite"))) {
    const database = new DatabaseSync(join(folder, file), { readOnly: true })
    const has = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'leases'").get()
    const count = "SELECT count(*) AS open FROM leases WHERE state IN ('open', 'active', 'revoking')"
    if (has) open += Number(database.prepare(count).get()?.["open"])
    database.close()
  }
  return open
}

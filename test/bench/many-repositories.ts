import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { setTimeout as sleep } from "node:timers/promises"
import { rssMbOf } from "./processes.ts"
import { atMost, type Bench, type Section } from "./section.ts"
import { startWorkerdBinary } from "./workerd.ts"
import type { WorkerdProcess } from "./workerd-binary.ts"

const FEW = 1_000
const MANY = 10_000
/** Repositories a second. An object lives for ten seconds after its last call, so this decides how many live at a time. */
const RATE = 50
/** After this time without a call, the runtime has ended an object. */
const IDLE_MS = 15_000
/** Every lease is over in this run: at the end of its granted time, its object's alarm closes it. */
const TTL_SECONDS = 20
const ENDED_MS = 45_000
/** The most memory while the second half of the repositories comes, over the most while the first half does. */
const GROWTH_BUDGET = 1.25

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
  const worker = await startWorkerdBinary(bench, policies)

  const memory = sampled(worker)
  bench.ends.defer(() => memory.stop())
  const empty = memory.most()
  await fireFrom(bench, worker, 0, FEW)
  const few = memory.most()
  const openFiles = worker.openFiles()
  await sleep(IDLE_MS)
  const idle = megabytes(worker)
  const idleFiles = worker.openFiles()
  await fireFrom(bench, worker, FEW, MANY / 2)
  const firstHalf = memory.most()
  await fireFrom(bench, worker, MANY / 2, MANY)
  const secondHalf = memory.most()
  await sleep(ENDED_MS)
  const ended = megabytes(worker)
  memory.stop()
  await worker.stop()

  const { open, objects, bytes } = leftIn(worker.objects("Ledger"))
  if (open > 0) throw new Error(`${open} leases were not ended by the alarm of their object`)
  if (objects !== MANY) throw new Error(`${objects} objects have a ledger, and not ${MANY}`)
  return {
    rows: [
      atMost(
        "memory of workerd: repositories 5,001 to 10,000 against 1 to 5,000",
        secondHalf / firstHalf,
        GROWTH_BUDGET,
      ),
    ],
    figures: {
      empty_mb: empty,
      repositories_1000_mb: few,
      repositories_1000_open_files: openFiles,
      idle_mb: idle,
      idle_open_files: idleFiles,
      repositories_5000_mb: firstHalf,
      repositories_10000_mb: secondHalf,
      ended_mb: ended,
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

/** One exchange of each repository from `from` to `to`, at most `RATE` a second. */
async function fireFrom(bench: Bench, worker: WorkerdProcess, from: number, to: number): Promise<void> {
  const body = JSON.stringify({ grants: ["token"] })
  for (let first = from; first < to; first += RATE) {
    const second = sleep(1000)
    const tokens = bench.issuer.mint(Math.min(RATE, to - first), worker.url, (index) => ({
      repository: `acme/repository-${first + index}`,
      repository_id: String(1_000 + first + index),
    }))
    const shots = tokens.map((token) => ({ token, body }))
    await bench.load.fire(worker.url, shots)
    await second
  }
}

const megabytes = ({ pid }: WorkerdProcess) => Math.round(rssMbOf(pid))

function sampled(worker: WorkerdProcess) {
  const from = performance.now()
  const points: [number, number][] = []
  let most = 0
  const sample = () => {
    const mb = megabytes(worker)
    most = Math.max(most, mb)
    points.push([Math.round((performance.now() - from) / 1000), mb])
  }
  sample()
  const timer = setInterval(sample, 1000)
  return {
    points,
    /** Since it was last asked. */
    most: () => {
      sample()
      const found = most
      most = 0
      return found
    },
    stop: () => clearInterval(timer),
  }
}

/** What stands in the databases of a folder: leases without an end, objects, and their bytes. */
function leftIn(folder: string): { readonly open: number; readonly objects: number; readonly bytes: number } {
  let open = 0
  let objects = 0
  let bytes = 0
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".sqlite"))) {
    using database = new DatabaseSync(join(folder, file), { readOnly: true })
    // The runtime keeps a database of its own beside them.
    if (!database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'leases'").get()) continue
    const count = "SELECT count(*) AS open FROM leases WHERE state IN ('open', 'active', 'revoking')"
    open += Number(database.prepare(count).get()?.["open"])
    objects += 1
    bytes += statSync(join(folder, file)).size
  }
  return { open, objects, bytes }
}

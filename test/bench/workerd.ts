import { randomBytes } from "node:crypto"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { bundleWorker } from "../support/worker-bundle.ts"
import { boundShots, plainShots } from "./exchanges.ts"
import { figuresOf, race, ratioOf } from "./race.ts"
import { BARE_AUDIENCE } from "./script.ts"
import { atLeast, type Bench, type Section } from "./section.ts"
import { startWorkerd, type WorkerdProcess } from "./workerd-binary.ts"

const BARE = fileURLToPath(new URL("bare-worker.ts", import.meta.url))
const COUNTED = 500

/** Exchanges of identity tokens in workerd's own binary, objects on the disk, against a bare route with one object call. */
export async function measureWorkerd(bench: Bench): Promise<Section> {
  const broker = await startWorkerdBinary(bench, bench.policies)
  const bare = await startBare(bench)
  const raced = await race(bench, {
    bare_route_workerd: { url: bare.url, pids: [bare.pid], shots: plainShots(bench, BARE_AUDIENCE) },
    exchange_workerd_plain: { url: broker.url, pids: [broker.pid], shots: plainShots(bench, broker.url) },
    exchange_workerd_bound: { url: broker.url, pids: [broker.pid], shots: boundShots(bench, broker.url) },
  })
  const row = "exchange in workerd against a bare route with one object call"
  return {
    rows: [atLeast(row, ratioOf(raced, "exchange_workerd_plain", "bare_route_workerd"), 0.75)],
    arms: figuresOf(raced),
    figures: await countStorage(bench),
  }
}

/** The broker as wrangler uploads it. */
export async function startWorkerdBinary(bench: Bench, policies: string, around?: string): Promise<WorkerdProcess> {
  const modules = await bundleWorker(policies)
  const worker = await startWorkerd({
    folder: folderFor(bench, around === undefined ? "broker" : "counted"),
    modules: around === undefined ? modules : { "around.js": around, ...modules },
    objects: { LEDGER: "Ledger", KEY_RING: "KeyRing", DIRECTORY: "Directory" },
    texts: (url) => ({ DAYPASS_URL: url, DAYPASS_KEK: randomBytes(32).toString("base64") }),
    ready: "/healthz",
  })
  bench.ends.defer(() => worker.stop())
  return worker
}

async function startBare(bench: Bench): Promise<WorkerdProcess> {
  const { outputFiles } = await build({
    entryPoints: [BARE],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:workers"],
  })
  const worker = await startWorkerd({
    folder: folderFor(bench, "bare"),
    modules: { "worker.js": outputFiles[0]?.text ?? "" },
    objects: { USED: "Used" },
    texts: () => ({ ISSUER: bench.issuer.issuer, AUDIENCE: BARE_AUDIENCE }),
    ready: "/ready",
  })
  bench.ends.defer(() => worker.stop())
  return worker
}

function folderFor({ folder }: Bench, name: string): string {
  const own = join(folder, name)
  mkdirSync(own)
  return own
}

/** Another module around the Worker, which counts what Cloudflare bills of an object's storage. */
const COUNTING = `
import worker, { Ledger as RealLedger } from "./worker.js"
export * from "./worker.js"
let cursors = []
let counted = { read: 0, written: 0, calls: 0, bytes: 0 }
export class Ledger extends RealLedger {
  constructor(state, env) {
    const { storage } = state
    const { sql } = storage
    const exec = sql.exec.bind(sql)
    sql.exec = (...statement) => {
      const cursor = exec(...statement)
      cursors.push(cursor)
      return cursor
    }
    const setAlarm = storage.setAlarm.bind(storage)
    storage.setAlarm = (time) => {
      counted.written += 1
      return setAlarm(time)
    }
    super(state, env)
    this.sql = sql
  }
  async admitMinted(...call) {
    const answer = await super.admitMinted(...call)
    counted.calls += 1
    for (const { rowsRead, rowsWritten } of cursors) {
      counted.read += rowsRead
      counted.written += rowsWritten
    }
    cursors = []
    counted.bytes = this.sql.databaseSize
    return answer
  }
}
export default {
  fetch(request, env, context) {
    return new URL(request.url).pathname === "/counted" ? Response.json(counted) : worker.fetch(request, env, context)
  },
}
`

/** What one exchange reads, writes and leaves in its object. The first exchanges, which make the tables, do not count. */
async function countStorage(bench: Bench): Promise<Record<string, number>> {
  const broker = await startWorkerdBinary(bench, bench.policies, COUNTING)
  const shots = plainShots(bench, broker.url)
  const counted = async () => {
    await bench.load.fire(broker.url, await shots(COUNTED))
    return (await (await fetch(`${broker.url}/counted`)).json()) as Record<
      "read" | "written" | "calls" | "bytes",
      number
    >
  }
  const before = await counted()
  const after = await counted()
  const each = (name: "read" | "written" | "calls" | "bytes") => (after[name] - before[name]) / COUNTED
  return {
    object_calls_an_exchange: each("calls"),
    rows_read_an_exchange: each("read"),
    rows_written_an_exchange: each("written"),
    bytes_stored_an_exchange: Math.round(each("bytes")),
  }
}

import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { bundledBroker } from "../support/broker-bundle.ts"
import { freePort } from "../support/servers.ts"
import { writePolicies } from "./folder.ts"
import { atMost, type Bench, type Section } from "./section.ts"
import { least, type Spent, spent } from "./spawned.ts"

const MANY = 10_000
const RUNS = 5
/** 0.4 s where Node itself takes 40 ms. */
const EMPTY_BUDGET = 10
/** 3 s. */
const MANY_BUDGET = 75

/**
 * The broker's start on Node, built, from spawn until it says that it listens: without policies, and with 10,000. The
 * policies have been still for long enough, so that no start waits for them.
 */
export async function measureStart({ folder }: Pick<Bench, "folder">): Promise<Section> {
  const entry = await bundledBroker()
  for (const count of [0, MANY]) writePolicies(join(folder, `${count}`), count)
  const runs = new Map<"bare" | "empty" | "many", Spent[]>([
    ["bare", []],
    ["empty", []],
    ["many", []],
  ])
  for (let run = 0; run < RUNS; run++) {
    runs.get("bare")?.push(spent(["--eval", "0"], {}))
    runs.get("empty")?.push(await startOf(entry, folder, 0))
    runs.get("many")?.push(await startOf(entry, folder, MANY))
  }
  const [bare, empty, many] = [...runs.values()].map(least) as [Spent, Spent, Spent]
  return {
    rows: [
      atMost("broker on Node, built: start without policies against bare node", empty.ms / bare.ms, EMPTY_BUDGET),
      atMost("the same with 10,000 policies", many.ms / bare.ms, MANY_BUDGET),
    ],
    figures: {
      bare_ms: bare.ms,
      empty_ms: empty.ms,
      empty_cpu_ms: empty.cpu_ms,
      empty_rss_mb: empty.rss_mb,
      many_ms: many.ms,
      many_cpu_ms: many.cpu_ms,
      many_rss_mb: many.rss_mb,
    },
  }
}

async function startOf(entry: string, folder: string, policies: number): Promise<Spent> {
  const port = await freePort()
  const data = mkdtempSync(join(folder, "data-"))
  const flags = ["--policies", join(folder, `${policies}`), "--data", data, "--port", `${port}`]
  const from = performance.now()
  const child = spawn(process.execPath, [entry, ...flags, "--url", `http://127.0.0.1:${port}`], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  await once(child.stdout, "data")
  const ms = performance.now() - from
  // Counters of Linux: `utime` and `stime` in ticks of 10 ms are the fields 14 and 15.
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
  const rss = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]
  child.kill("SIGTERM")
  await once(child, "exit")
  return { ms, cpu_ms: (Number(fields[11]) + Number(fields[12])) * 10, rss_mb: Number(rss) / 1024 }
}

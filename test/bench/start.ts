import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { bundledBroker } from "../support/broker-bundle.ts"
import { freePort } from "../support/servers.ts"
import { writePolicies } from "./folder.ts"
import { atMost, type Bench, type Curve, type Section } from "./section.ts"
import { least, type Spent, spent } from "./spawned.ts"

const MANY = 10_000
/** For the curve. */
const BETWEEN = [1, 10, 100, 1000]
const RUNS = 5
/** 0.4 s of processor time where Node itself takes 40 ms. */
const EMPTY_BUDGET = 10
/** 3 s, and one of the threads that collect garbage beside it. */
const MANY_BUDGET = 100

/**
 * The broker's start on Node, built, from spawn until it says that it listens: without policies, and with 10,000. The
 * policies have been still for long enough, so that no start waits for them.
 */
export async function measureStart({ folder, long }: Pick<Bench, "folder" | "long">): Promise<Section> {
  const entry = await bundledBroker()
  for (const count of [0, MANY, ...(long ? BETWEEN : [])]) writePolicies(join(folder, `${count}`), count)
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
      atMost(
        "broker on Node, built: start without policies against bare node",
        empty.cpu_ms / bare.cpu_ms,
        EMPTY_BUDGET,
      ),
      atMost("the same with 10,000 policies", many.cpu_ms / bare.cpu_ms, MANY_BUDGET),
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
    curves: long ? [await curveOf(entry, folder, many)] : [],
  }
}

async function curveOf(entry: string, folder: string, many: Spent): Promise<Curve> {
  const points: [policies: number, seconds: number][] = []
  for (const count of BETWEEN) {
    const runs: Spent[] = []
    for (let run = 0; run < RUNS; run++) runs.push(await startOf(entry, folder, count))
    points.push([count, least(runs).ms / 1000])
  }
  return {
    file: "start",
    title: "Start of a broker on Node",
    x: { label: "policies", scale: "log10" },
    y: { label: "seconds" },
    lines: [{ name: "until it listens", points: [...points, [MANY, many.ms / 1000]] }],
  }
}

async function startOf(entry: string, folder: string, policies: number): Promise<Spent> {
  const port = await freePort()
  const data = mkdtempSync(join(folder, "data-"))
  const flags = ["--policies", join(folder, `${policies}`), "--data", data, "--port", `${port}`]
  const from = performance.now()
  const child = spawn(process.execPath, [entry, ...flags, "--url", `http://127.0.0.1:${port}`], {
    stdio: ["ignore", "pipe", "ignore"],
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

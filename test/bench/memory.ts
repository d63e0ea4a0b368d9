import { readFileSync } from "node:fs"
import { join } from "node:path"
import { startNodeBroker } from "../support/broker-node.ts"
import { plainShots } from "./exchanges.ts"
import { median } from "./race.ts"
import { atMost, type Bench, type Section } from "./section.ts"

const MINUTES = 15
const BATCH = 250
/** The first minutes fill caches and let V8 choose the size of its heap. */
const FILLING_SHARE = 1 / 3
const PROBE = new URL("memory-probe.js", import.meta.url)

const LINES = [
  ["rss", "resident (RSS)"],
  ["heapUsed", "JavaScript's heap"],
  ["external", "buffers outside of it"],
] as const

interface Sample {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

/** Memory of a broker on Node under load without a pause, one sample a second. */
export async function measureMemory(bench: Bench, minutes = MINUTES): Promise<Section> {
  const file = join(bench.folder, "memory.jsonl")
  const settings = { NODE_OPTIONS: `--import=${PROBE}`, DAYPASS_BENCH_MEMORY: file }
  const node = await startNodeBroker({ policies: bench.policies, settings })
  bench.ends.defer(async () => void (await node.stop()))
  const shots = plainShots(bench, node.url)
  const until = performance.now() + minutes * 60_000
  let exchanges = 0
  while (performance.now() < until) {
    await bench.load.fire(node.url, await shots(BATCH))
    exchanges += BATCH
  }
  const lines = readFileSync(file, "utf8").trim().split("\n")
  const samples = lines.map((line): Sample => JSON.parse(line))
  const settled = samples.slice(Math.floor(samples.length * FILLING_SHARE))
  const half = Math.floor(settled.length / 2)
  const mb = (of: readonly Sample[], what: keyof Sample) => median(of.map((sample) => sample[what] / 2 ** 20))
  return {
    rows: [
      atMost(
        "memory: last third of the load against the middle third",
        mb(settled.slice(half), "rss") / mb(settled.slice(0, half), "rss"),
        1.05,
      ),
    ],
    figures: {
      minutes,
      exchanges,
      rss_middle_mb: mb(settled.slice(0, half), "rss"),
      rss_last_mb: mb(settled.slice(half), "rss"),
      rss_peak_mb: Math.max(...samples.map(({ rss }) => rss)) / 2 ** 20,
      heap_used_last_mb: mb(settled.slice(half), "heapUsed"),
      external_last_mb: mb(settled.slice(half), "external"),
    },
    curves: [
      {
        file: "memory",
        title: "Memory of a broker on Node under load",
        x: { label: "minutes" },
        y: { label: "MB" },
        lines: LINES.map(([what, name]) => ({
          name,
          // The probe's timer is late under load, so a sample stands for its share of the time, and not for a second.
          points: samples.map((sample, index) => [(index / samples.length) * minutes, sample[what] / 2 ** 20] as const),
        })),
      },
    ],
  }
}

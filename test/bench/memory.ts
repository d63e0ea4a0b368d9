import { existsSync, readFileSync } from "node:fs"
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

interface Sample {
  readonly rss: number
  readonly heapUsed: number
  readonly heapTotal: number
  readonly external: number
  readonly arrayBuffers: number
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
  const samples = existsSync(file)
    ? readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line): Sample => JSON.parse(line))
    : []
  const settled = samples.slice(Math.floor(samples.length * FILLING_SHARE))
  const half = Math.floor(settled.length / 2)
  const mb = (of: readonly Sample[], what: keyof Sample) => median(of.map((sample) => sample[what] / 2 ** 20))
  return {
    rows: [
      atMost(
        "memory: last third of the load against the middle third",
        mb(settled.slice(half), "rss") / mb(settled.slice(0, half), "rss"),
        1.1,
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
        lines: (["rss", "heapUsed", "external"] as const).map((name) => ({
          name,
          points: samples.map((sample, second) => [second / 60, sample[name] / 2 ** 20] as const),
        })),
      },
    ],
  }
}

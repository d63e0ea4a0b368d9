import { startNodeBroker } from "../support/broker-node.ts"
import { plainShots } from "./exchanges.ts"
import { type Arm, figuresOf, type Round, race } from "./race.ts"
import { atMost, type Bench, type Curve, type Section } from "./section.ts"

const AT_ONCE = 256
const TAIL_BUDGET_MS = 500
const POWERS_OF_TWO = [1, 2, 4, 8, 16, 32, 64, 128, AT_ONCE]

/**
 * The slowest exchanges of 256 at once in one repository. Each round opens 256 new connections. The row is about the worst
 * round: a median over rounds hides what happens in one of three. `--long` adds the curve from 1 to 256.
 */
export async function measureConcurrency(bench: Bench): Promise<Section> {
  const node = await startNodeBroker({ policies: bench.policies })
  bench.ends.defer(async () => void (await node.stop()))
  const broker: Arm = { url: node.url, pids: [node.pid], shots: plainShots(bench, node.url) }
  const crowd = await race(bench, { node_256_at_once: broker }, { shots: 5 * AT_ONCE, concurrency: AT_ONCE })
  const worst = Math.max(...crowd.rounds.node_256_at_once.map(({ p99_ms }) => p99_ms))
  return {
    rows: [atMost("p99 of 256 at once in one repository, worst round, against 0.5 s", worst / TAIL_BUDGET_MS, 1)],
    arms: figuresOf(crowd),
    figures: {
      worst_p99_ms: worst,
      slowest_ms: Math.max(...crowd.rounds.node_256_at_once.map(({ max_ms }) => max_ms)),
    },
    curves: bench.long ? await curvesOf(bench, broker) : [],
  }
}

async function curvesOf(bench: Bench, broker: Arm): Promise<readonly Curve[]> {
  const points: {
    readonly concurrency: number
    readonly figures: Pick<Round, "requests_per_second" | "p50_ms" | "p99_ms">
  }[] = []
  for (const concurrency of POWERS_OF_TWO) {
    const shots = Math.max(200, 3 * concurrency)
    const { node } = figuresOf(
      await race(bench, { node: broker }, { rounds: 3, shots, concurrency, countFlushes: false }),
    )
    points.push({ concurrency, figures: node })
  }
  const line = (name: string, pick: keyof (typeof points)[number]["figures"]) => ({
    name,
    points: points.map(({ concurrency, figures }) => [concurrency, figures[pick]] as const),
  })
  const x = { label: "exchanges at a time", scale: "log2" } as const
  return [
    {
      file: "exchanges-by-concurrency",
      title: "Exchanges a second on Node",
      x,
      y: { label: "a second" },
      lines: [line("plain, one repository", "requests_per_second")],
    },
    {
      file: "latency-by-concurrency",
      title: "Time of an exchange on Node",
      x,
      y: { label: "milliseconds" },
      lines: [line("p50", "p50_ms"), line("p99", "p99_ms")],
    },
  ]
}

import { join } from "node:path"
import { startNodeBroker } from "../support/broker-node.ts"
import { writePolicies } from "./folder.ts"
import { median } from "./race.ts"
import type { Bench, Section } from "./section.ts"

const COUNTS = [1, 10, 100, 1000, 10_000]
const RUNS = 3

/** From spawn until `/healthz` answers, by the number of policies: the median of runs, each with a new data folder. */
export async function measureStarts({ folder }: Pick<Bench, "folder">): Promise<Section> {
  const times = new Map(COUNTS.map((count): [number, number[]] => [count, []]))
  for (const count of COUNTS) writePolicies(join(folder, `${count}`), count)
  for (let run = 0; run < RUNS; run++) {
    for (const [count, each] of times) {
      const from = performance.now()
      const node = await startNodeBroker({ policies: join(folder, `${count}`) })
      each.push((performance.now() - from) / 1000)
      await node.stop()
    }
  }
  return {
    curves: [
      {
        file: "start",
        title: "Start of a broker on Node",
        x: { label: "policies", scale: "log10" },
        y: { label: "seconds" },
        lines: [
          { name: "until it answers", points: [...times].map(([count, each]) => [count, median(each)] as const) },
        ],
      },
    ],
  }
}

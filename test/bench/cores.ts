import { execFileSync } from "node:child_process"
import { availableParallelism } from "node:os"
import { startNodeBroker } from "../support/broker-node.ts"
import { plainShots } from "./exchanges.ts"
import { figuresOf, race, ratioOf } from "./race.ts"
import { atLeast, type Bench, type Section } from "./section.ts"

/** More than elsewhere: with larger batches the disk is waited for less, and this is about processors. */
const AT_ONCE = 64

/**
 * One broker on Node, on one core and on two. JavaScript and SQLite run on its main thread; libuv's threads sign and verify.
 * So a second core takes over what is not the main thread's, and a third one nothing.
 */
export async function measureCores(bench: Bench): Promise<Section> {
  if (availableParallelism() < 2) return { unmeasured: ["two cores against one: this machine has one"] }
  const node = await startNodeBroker({ policies: bench.policies })
  bench.ends.defer(async () => void (await node.stop()))
  const generator = bench.load.pid
  try {
    pin(generator, "0,1")
  } catch {
    return { unmeasured: ["two cores against one: no program `taskset`, or it may not pin"] }
  }
  bench.ends.defer(() => pin(generator, `0-${availableParallelism() - 1}`))
  const arm = (cores: string, generatorsCores: string) => ({
    url: node.url,
    pids: [node.pid],
    shots: plainShots(bench, node.url),
    ready: () => {
      pin(node.pid, cores)
      pin(generator, generatorsCores)
    },
  })
  const raced = await race(
    bench,
    {
      broker_and_load_on_one_core: arm("0", "0"),
      broker_on_one_core: arm("0", "1"),
      broker_and_load_on_two_cores: arm("0,1", "0,1"),
    },
    { concurrency: AT_ONCE, shots: 10 * AT_ONCE },
  )
  const ratio = ratioOf(raced, "broker_and_load_on_two_cores", "broker_and_load_on_one_core")
  return {
    rows: [atLeast("Node, broker and load together: two cores against one", ratio, 1.6)],
    arms: figuresOf(raced),
    figures: {
      broker_on_one_core_against_two: ratioOf(raced, "broker_on_one_core", "broker_and_load_on_two_cores"),
    },
  }
}

/** All threads of a process, also those that it starts later. */
function pin(pid: number, cores: string): void {
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", cores, `${pid}`], { stdio: "ignore" })
}

import { randomBytes } from "node:crypto"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { SERVER_METADATA_PATH } from "../../broker/http/metadata.ts"
import { builtWorker, bundleWorker, type WorkerModules } from "../support/worker-bundle.ts"
import { modulesIn } from "./bundles.ts"
import { cpuTimeOf, rssMbOf } from "./processes.ts"
import { median } from "./race.ts"
import { atMost, type Bench, type Section } from "./section.ts"
import { startWorkerd } from "./workerd-binary.ts"

const RUNS = 9

/**
 * workerd's start with the broker, until its first answer, in turns: as it is uploaded, and without the operators' modules. workerd
 * compiles each module of an upload when an isolate starts, although it evaluates those of operators only when they are imported.
 */
export async function measureIsolate({ folder, policies }: Pick<Bench, "folder" | "policies">): Promise<Section> {
  const modules = await bundleWorker(policies)
  const { forOperators } = modulesIn(await builtWorker())
  const bare = Object.fromEntries(Object.entries(modules).filter(([name]) => !forOperators.includes(name)))
  const runs: Record<"bare" | "whole", Start[]> = { bare: [], whole: [] }
  for (let run = 0; run < RUNS; run++) {
    runs.bare.push(await startOf(bare, join(folder, `bare-${run}`)))
    runs.whole.push(await startOf(modules, join(folder, `whole-${run}`)))
  }
  const cpu = (arm: readonly Start[]) => Math.min(...arm.map(({ cpu_ms }) => cpu_ms))
  const rss = (arm: readonly Start[]) => median(arm.map(({ rss_mb }) => rss_mb))
  return {
    rows: [
      atMost("start of the Worker against one without the operators' part", cpu(runs.whole) / cpu(runs.bare), 1.25),
    ],
    figures: {
      bare_cpu_ms: cpu(runs.bare),
      whole_cpu_ms: cpu(runs.whole),
      bare_rss_mb: rss(runs.bare),
      whole_rss_mb: rss(runs.whole),
    },
  }
}

interface Start {
  /** The least of several is kept: whatever else the machine does can only add to it. */
  readonly cpu_ms: number
  readonly rss_mb: number
}

async function startOf(modules: WorkerModules, folder: string): Promise<Start> {
  mkdirSync(folder)
  const worker = await startWorkerd({
    folder,
    modules,
    objects: { LEDGER: "Ledger", KEY_RING: "KeyRing", DIRECTORY: "Directory" },
    texts: (url) => ({ DAYPASS_URL: url, DAYPASS_KEK: randomBytes(32).toString("base64") }),
    // Needs the broker, and no signing key: to make an RSA key takes any time.
    ready: SERVER_METADATA_PATH,
  })
  try {
    const cpu = cpuTimeOf([worker.pid])
    if (cpu === null) throw new Error("this system does not count a process's time in /proc/PID/schedstat")
    return { cpu_ms: cpu.all, rss_mb: rssMbOf(worker.pid) }
  } finally {
    await worker.stop()
  }
}

import { readdirSync, readFileSync, statSync } from "node:fs"
import { basename, join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import type { Metafile } from "esbuild"
import { METAFILE } from "../../broker/entry/build-worker.ts"
import { builtWorker } from "../support/worker-bundle.ts"
import { atMost, type Section } from "./section.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** What every isolate loads, after gzip. `test/entry/worker-modules.test.ts` holds the modules against both budgets too. */
export const WORKER_BUDGET_BYTES = 270 * 1024

/** What operators load in addition, after gzip. workerd compiles it with every isolate all the same: see `isolate.ts`. */
export const OPERATE_BUDGET_BYTES = 200 * 1024

const ACTION_BUDGET_BYTES = 250 * 1024

export async function measureBundles(): Promise<Section> {
  const worker = measureWorker(await builtWorker())
  const action = actionBundleBytes()
  const shares = Object.entries(worker.vendorBytes).map(([vendor, bytes]) => [`share_${vendor}`, bytes / worker.bytes])
  return {
    rows: [
      atMost("Worker, what every isolate loads, gzip, against 270 KB", worker.gzipBytes / WORKER_BUDGET_BYTES, 1),
      atMost("Worker, what operators load, gzip, against 200 KB", worker.operateGzipBytes / OPERATE_BUDGET_BYTES, 1),
      atMost("action bundle against 250 KB", action / ACTION_BUDGET_BYTES, 1),
    ],
    figures: {
      worker_gzip_bytes: worker.gzipBytes,
      worker_operate_gzip_bytes: worker.operateGzipBytes,
      action_bytes: action,
      ...Object.fromEntries(shares),
    },
  }
}

/** The Worker's modules as wrangler uploads them, without the policies. */
interface MeasuredWorker {
  /** Of `worker.js`, and of what it imports when it is loaded. */
  readonly gzipBytes: number
  /** Of what `operate.js` loads beyond that. */
  readonly operateGzipBytes: number
  /** By vendor, the bytes that would not be there without it: its own files, and packages that nothing else needs. */
  readonly vendorBytes: Readonly<Record<string, number>>
  /** Of all modules, before gzip. */
  readonly bytes: number
}

/** Measures the folder that `buildWorker` made. */
export function measureWorker(folder: string): MeasuredWorker {
  const { always, forOperators } = modulesIn(folder)
  const gzip = (names: readonly string[]) =>
    names.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length, 0)
  return { gzipBytes: gzip(always), operateGzipBytes: gzip(forOperators), ...sharesIn(metaOf(folder)) }
}

/** The names of the modules that every isolate loads, and of those that operators load in addition. */
export function modulesIn(folder: string): {
  readonly always: readonly string[]
  readonly forOperators: readonly string[]
} {
  const meta = metaOf(folder)
  const always = loadedWith("worker.js", meta)
  const forOperators = [...loadedWith("operate.js", meta)].filter((name) => !always.has(name))
  return { always: [...always], forOperators }
}

const metaOf = (folder: string): Metafile => JSON.parse(readFileSync(join(folder, METAFILE), "utf8"))

/** A module, and those that are loaded with it: not those that it imports while it runs. */
function loadedWith(entry: string, { outputs }: Metafile): ReadonlySet<string> {
  const modules = new Map(Object.entries(outputs).map(([path, output]) => [basename(path), output]))
  const seen = new Set<string>()
  const visit = (name: string): void => {
    const module = modules.get(name)
    if (module === undefined || seen.has(name)) return
    seen.add(name)
    for (const { path, kind } of module.imports) if (kind === "import-statement") visit(basename(path))
  }
  visit(entry)
  if (seen.size === 0) throw new Error(`the Worker has no module ${entry}`)
  return seen
}

function sharesIn({ inputs, outputs }: Metafile): Pick<MeasuredWorker, "vendorBytes" | "bytes"> {
  const bytesOf = new Map<string, number>()
  for (const output of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) bytesOf.set(path, bytesInOutput)
  }
  const reached = (without: string) => {
    const seen = new Set<string>()
    const visit = (path: string): void => {
      if (seen.has(path) || path.includes(without)) return
      seen.add(path)
      for (const { path: next } of inputs[path]?.imports ?? []) visit(next)
    }
    visit("broker/entry/worker.ts")
    return [...seen].reduce((sum, path) => sum + (bytesOf.get(path) ?? 0), 0)
  }
  const vendors = new Set(Object.keys(inputs).flatMap((path) => /broker\/providers\/([^/]+)\//.exec(path)?.[1] ?? []))
  const all = reached("\0")
  const vendorBytes = [...vendors].sort().map((vendor) => [vendor, all - reached(`broker/providers/${vendor}/`)])
  return { bytes: all, vendorBytes: Object.fromEntries(vendorBytes) }
}

/** Bytes of all files that a runner gets of the action. */
function actionBundleBytes(): number {
  const folder = join(ROOT, "action/dist")
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
}

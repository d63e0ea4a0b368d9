import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import type { Metafile } from "esbuild"
import { atMost, type Section } from "./section.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** After gzip. `test/flow/workerd.test.ts` holds the bundle against it too. */
export const WORKER_BUDGET_BYTES = 270 * 1024

const ACTION_BUDGET_BYTES = 250 * 1024

export async function measureBundles(): Promise<Section> {
  const worker = workerBundle()
  const action = actionBundleBytes()
  const shares = Object.entries(worker.vendorBytes).map(([vendor, bytes]) => [`share_${vendor}`, bytes / worker.bytes])
  return {
    rows: [
      atMost("Worker bundle, gzip, against 270 KB", worker.gzipBytes / WORKER_BUDGET_BYTES, 1),
      atMost("action bundle against 250 KB", action / ACTION_BUDGET_BYTES, 1),
    ],
    figures: { worker_gzip_bytes: worker.gzipBytes, action_bytes: action, ...Object.fromEntries(shares) },
  }
}

/** The Worker's bundle as wrangler uploads it. */
interface WorkerBundle {
  readonly gzipBytes: number
  /** By vendor, the bytes that would not be there without it: its own files, and packages that nothing else needs. */
  readonly vendorBytes: Readonly<Record<string, number>>
  /** Of the whole, before gzip. */
  readonly bytes: number
}

function workerBundle(): WorkerBundle {
  const folder = mkdtempSync(join(tmpdir(), "daypass-bundle-"))
  try {
    const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js")
    const args = [wrangler, "deploy", "--dry-run", "--env", "production", "--outdir", folder, "--metafile"]
    execFileSync(process.execPath, args, {
      cwd: ROOT,
      stdio: "ignore",
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true", DAYPASS_TRIAL_BUILD: "1" },
    })
    const meta: Metafile = JSON.parse(readFileSync(join(folder, "bundle-meta.json"), "utf8"))
    const gzipBytes = gzipSync(readFileSync(join(folder, "worker.js")), { level: 9 }).length
    return { gzipBytes, ...sharesIn(meta) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function sharesIn({ inputs, outputs }: Metafile): Pick<WorkerBundle, "vendorBytes" | "bytes"> {
  const output = Object.values(outputs).find(({ entryPoint }) => entryPoint !== undefined)
  if (output?.entryPoint === undefined) throw new Error("the bundle has no entry")
  const { entryPoint } = output
  const reached = (without: string) => {
    const seen = new Set<string>()
    const visit = (path: string): void => {
      if (seen.has(path) || path.includes(without)) return
      seen.add(path)
      for (const { path: next } of inputs[path]?.imports ?? []) visit(next)
    }
    visit(entryPoint)
    return [...seen].reduce((sum, path) => sum + (output.inputs[path]?.bytesInOutput ?? 0), 0)
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

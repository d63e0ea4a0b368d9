import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** Bytes of the Worker's bundle as wrangler uploads it, gzipped. */
export function workerBundleBytes(): number {
  const folder = mkdtempSync(join(tmpdir(), "daypass-bundle-"))
  try {
    const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js")
    const args = [wrangler, "deploy", "--dry-run", "--env", "production", "--outdir", folder]
    execFileSync(process.execPath, args, {
      cwd: ROOT,
      stdio: "ignore",
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
    })
    return gzipSync(readFileSync(join(folder, "worker.js")), { level: 9 }).length
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Bytes of all files that a runner gets of the action. */
export function actionBundleBytes(): number {
  const folder = join(ROOT, "action/dist")
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
}

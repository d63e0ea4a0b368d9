import { execFile } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { readPolicyFolder } from "../../broker/adapters/node/read-policy-folder.ts"
import { compiled } from "../../broker/core/policy/compiled.ts"
import { loadPolicySet } from "../../broker/core/policy/load.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { builtOnce } from "./built-once.ts"
import { COMPILE_CACHE } from "./compile-cache.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const NODE = join(ROOT, "node_modules/.bin/node")
const SOURCES = ["broker/**/*.ts", "wrangler.toml", "package-lock.json"]
const BUILD_TIMEOUT_MS = 120_000
/** Stands in the bundle where the policies go. */
const PLACE = "the policies of this broker go here"

/** The Worker as wrangler bundles it for a deployment, with the policies of `folder` compiled in. */
export async function bundleWorker(folder: string): Promise<string> {
  const loaded = loadPolicySet(readPolicyFolder(folder), PROVIDERS)
  if (!loaded.ok) {
    const faults = loaded.fault.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
    throw new Error(`the policies in ${folder} are faulty:\n${faults.join("\n")}`)
  }
  const bundle = readFileSync(join(await builtOnce("daypass-worker", SOURCES, runWrangler), "worker.js"), "utf8")
  const place = JSON.stringify(PLACE)
  if (bundle.split(place).length !== 2) throw new Error("the bundle has no place for the policies, or several")
  return bundle.replace(place, () => JSON.stringify(JSON.stringify(compiled(loaded.value))))
}

async function runWrangler(folder: string): Promise<void> {
  const policies = join(folder, "policies.js")
  writeFileSync(policies, `export const compiledPolicies = JSON.parse(${JSON.stringify(PLACE)})\n`)
  const config = join(folder, "wrangler.toml")
  writeFileSync(config, settingsFor(policies))
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js")
  const args = [wrangler, "deploy", "--dry-run", "--env", "production", "--config", config, "--outdir", folder]
  await promisify(execFile)(NODE, args, {
    cwd: ROOT,
    timeout: BUILD_TIMEOUT_MS,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      WRANGLER_SEND_METRICS: "false",
      CI: "true",
      ...COMPILE_CACHE,
    },
  })
}

/** wrangler.toml with its paths made absolute and other policies in place of those that [build] compiles. */
function settingsFor(policies: string): string {
  const edits: readonly [RegExp, string][] = [
    [/^main = "/m, `main = "${ROOT}`],
    [/^\[build\]\n(?:[^[\n].*\n|\n)*/m, ""],
    [/^"daypass:policies" = .*$/m, `"daypass:policies" = ${JSON.stringify(policies)}`],
    [/"\.\//g, `"${ROOT}`],
  ]
  return edits.reduce(
    (toml, [pattern, text]) => {
      if (toml.search(pattern) === -1) throw new Error(`wrangler.toml has nothing like ${pattern}`)
      return toml.replace(pattern, () => text)
    },
    readFileSync(join(ROOT, "wrangler.toml"), "utf8"),
  )
}

// Compiles a policy folder into a module of the Worker. Run by wrangler's [build]. A fault in any file stops a
// deployment. During development, the last good policies stay in force, as on Node.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { loadFolder } from "../adapters/node/policy-folder.ts"
import { type CompiledPolicies, compiled } from "../core/policy/compiled.ts"
import { PROVIDERS } from "../providers/index.ts"
import { POLICIES_MODULE, policiesModule, WORKER_FOLDER } from "./build-worker.ts"
import { deploymentOf } from "./deployment.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const TARGET = join(WORKER_FOLDER, POLICIES_MODULE)
const OWN_FOLDER = join(ROOT, "policies")
const EXAMPLE_FOLDER = join(ROOT, "examples", "policies")

/** Wrangler sets this variable to the command that runs the custom build. */
const DEVELOPING = process.env["WRANGLER_COMMAND"] === "dev"

const folder = process.argv[2] ?? (existsSync(OWN_FOLDER) ? OWN_FOLDER : EXAMPLE_FOLDER)
const named = relative(process.cwd(), folder) || "."
const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`

function write(policies: CompiledPolicies | null): void {
  mkdirSync(dirname(TARGET), { recursive: true })
  writeFileSync(TARGET, policiesModule(policies))
}

function compileFolder(): void {
  const loaded = loadFolder(folder, PROVIDERS)
  if (loaded.ok) {
    write(compiled(loaded.value))
    const policies = loaded.value.policyCount === 1 ? "1 policy" : `${loaded.value.policyCount} policies`
    console.log(`Compiled ${policies} of ${named}, version ${loaded.value.version}.`)
    if (folder === EXAMPLE_FOLDER) {
      console.log(
        "These are the EXAMPLES: they grant nothing to your repositories. Put your own policies into policies/.",
      )
    }
    return
  }
  for (const { file, line, column, message } of loaded.fault)
    console.error(`${named}/${file}:${line}:${column}: ${message}`)
  const keep = DEVELOPING && existsSync(TARGET)
  const consequence = keep ? "The last good policies stay in force." : "Nothing was built."
  console.error(`${named} has ${count(loaded.fault.length, "fault")}. ${consequence}`)
  process.exitCode = keep ? 0 : 1
}

const deployment = deploymentOf(process.env, {
  settings: readFileSync(join(ROOT, "wrangler.toml"), "utf8"),
  hasPolicies: folder !== EXAMPLE_FOLDER,
})
if (deployment.kind === "refused") {
  for (const reason of deployment.reasons) console.error(reason)
  console.error("Nothing was built.")
  process.exitCode = 1
} else if (deployment.kind === "without-policies") {
  write(null)
  console.log(
    "There is no folder policies/: the bundle has no policies, and the broker takes them from Workers KV only.",
  )
} else {
  compileFolder()
}

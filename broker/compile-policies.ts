// Compiles a policy folder into the module that the Worker's bundle takes its policies from. Run by wrangler's [build];
// a fault in any file ends the build, so that a broken folder is never deployed.
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { readPolicyFolder } from "./adapters/node/read-policy-folder.ts"
import { compiled } from "./core/policy/compiled.ts"
import { loadPolicySet } from "./core/policy/load.ts"
import { PROVIDERS } from "./providers/index.ts"

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const TARGET = join(ROOT, ".daypass", "policies.js")
const OWN_FOLDER = join(ROOT, "policies")
const EXAMPLE_FOLDER = join(ROOT, "examples", "policies")

const folder = process.argv[2] ?? (existsSync(OWN_FOLDER) ? OWN_FOLDER : EXAMPLE_FOLDER)
const loaded = loadPolicySet(readPolicyFolder(folder), PROVIDERS)
if (loaded.ok) {
  mkdirSync(dirname(TARGET), { recursive: true })
  writeFileSync(TARGET, `export const compiledPolicies = ${JSON.stringify(compiled(loaded.value))}\n`)
  console.log(`Compiled ${loaded.value.policyCount} policies of ${folder}, version ${loaded.value.version}.`)
} else {
  for (const { file, line, column, message } of loaded.fault) console.error(`${file}:${line}:${column}: ${message}`)
  console.error(`The policies in ${folder} have ${loaded.fault.length} faults; nothing was built.`)
  process.exitCode = 1
}

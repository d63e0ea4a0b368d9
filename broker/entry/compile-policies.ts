// Compiles a policy folder into a module for the Worker's bundle. Run by wrangler's [build]. A fault in any file stops a
// deployment. During development, the last good policies stay in force, as on Node.
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { loadFolder } from "../adapters/node/policy-folder.ts"
import { compiled } from "../core/policy/compiled.ts"
import { PROVIDERS } from "../providers/index.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const TARGET = join(ROOT, ".daypass", "policies.js")
const OWN_FOLDER = join(ROOT, "policies")
const EXAMPLE_FOLDER = join(ROOT, "examples", "policies")

/** Wrangler sets this variable to the command that runs the custom build. */
const DEVELOPING = process.env["WRANGLER_COMMAND"] === "dev"

const folder = process.argv[2] ?? (existsSync(OWN_FOLDER) ? OWN_FOLDER : EXAMPLE_FOLDER)
const named = relative(process.cwd(), folder) || "."
const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`

const loaded = loadFolder(folder, PROVIDERS)
if (loaded.ok) {
  mkdirSync(dirname(TARGET), { recursive: true })
  writeFileSync(TARGET, `export const compiledPolicies = ${JSON.stringify(compiled(loaded.value))}\n`)
  const policies = loaded.value.policyCount === 1 ? "1 policy" : `${loaded.value.policyCount} policies`
  console.log(`Compiled ${policies} of ${named}, version ${loaded.value.version}.`)
  if (folder === EXAMPLE_FOLDER) {
    console.log(
      "These are the EXAMPLES: they grant nothing to your repositories. Put your own policies into policies/.",
    )
  }
} else {
  for (const { file, line, column, message } of loaded.fault)
    console.error(`${named}/${file}:${line}:${column}: ${message}`)
  const keep = DEVELOPING && existsSync(TARGET)
  const consequence = keep ? "The last good policies stay in force." : "Nothing was built."
  console.error(`${named} has ${count(loaded.fault.length, "fault")}. ${consequence}`)
  process.exitCode = keep ? 0 : 1
}

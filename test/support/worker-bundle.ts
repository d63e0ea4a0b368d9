import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { readPolicyFolder } from "../../broker/adapters/node/read-policy-folder.ts"
import { compiled } from "../../broker/core/policy/compiled.ts"
import { loadPolicySet } from "../../broker/core/policy/load.ts"
import { buildWorker, POLICIES_MODULE, policiesModule } from "../../broker/entry/build-worker.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { builtOnce } from "./built-once.ts"

const SOURCES = ["{analysis,broker}/**/*.ts", "*.ts", "package-lock.json"]

/** ES modules by name: those that wrangler uploads, `worker.js` first. */
export type WorkerModules = Readonly<Record<string, string>>

/** The folder with everything that `buildWorker` makes. */
export const builtWorker = (): Promise<string> => builtOnce("daypass-worker", SOURCES, buildWorker)

/** The Worker as a deployment has it, with the policies of `folder` compiled in. */
export async function bundleWorker(folder: string): Promise<WorkerModules> {
  const loaded = loadPolicySet(readPolicyFolder(folder), PROVIDERS)
  if (!loaded.ok) {
    const faults = loaded.fault.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
    throw new Error(`the policies in ${folder} are faulty:\n${faults.join("\n")}`)
  }
  const built = await builtWorker()
  const names = readdirSync(built).filter((name) => name.endsWith(".js") && name !== "worker.js")
  return {
    ...Object.fromEntries(["worker.js", ...names].map((name) => [name, readFileSync(join(built, name), "utf8")])),
    [POLICIES_MODULE]: policiesModule(compiled(loaded.value)),
  }
}

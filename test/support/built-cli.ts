import { cpSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { buildCli } from "../../cli/build.ts"
import { builtOnce } from "./built-once.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
/** What the command line bundles, of this checkout and of its packages. */
const SOURCES = ["{action,analysis,broker,cli}/**/*.{ts,js}", "*.ts", "package.json", "package-lock.json"]

/** The command line as the package has it, built and without the sources: its `cli/bin.js`. It finds this checkout's wrangler. */
export async function builtCli(): Promise<string> {
  const folder = await builtOnce("daypass-cli", SOURCES, async (making) => {
    mkdirSync(join(making, "cli"))
    await buildCli(join(making, "cli/dist"))
    for (const file of ["cli/bin.js", "package.json"]) cpSync(join(ROOT, file), join(making, file))
  })
  return join(folder, "cli/bin.js")
}

import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** One by one: of a folder, zizmor takes only what is in `.github/workflows`. */
const EXAMPLES = readdirSync(join(ROOT, "examples/workflows"))
  .filter((name) => name.endsWith(".yml"))
  .map((name) => `examples/workflows/${name}`)

/** This repository's own workflows and action, and those that it tells people to copy, as an auditor of GitHub Actions sees them. */
export async function zizmorCase(programs: string, check: Check): Promise<void> {
  await check("zizmor finds nothing in the workflows, those of the examples, and both action.yml", async () => {
    const args = [
      "--offline",
      "--no-progress",
      "--color=never",
      "--persona=pedantic",
      ".github/workflows",
      "examples/control-repository/.github/workflows",
      ...EXAMPLES,
      "action.yml",
      "action/review/action.yml",
    ]
    const { exitCode, output } = await runCommand(join(programs, "zizmor"), args, { cwd: ROOT, timeoutMs: 60_000 })
    assert.equal(exitCode, 0, output)
    for (const example of EXAMPLES) assert.ok(output.includes(`completed ${example}`), `${example} was not audited`)
  })
}

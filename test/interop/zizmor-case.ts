import assert from "node:assert/strict"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

/** This repository's own workflows and action, and those that it tells people to copy, as an auditor of GitHub Actions sees them. */
export async function zizmorCase(programs: string, check: Check): Promise<void> {
  await check("zizmor finds nothing in the workflows, those of the examples, and action.yml", async () => {
    const args = [
      "--offline",
      "--no-progress",
      "--color=never",
      "--persona=pedantic",
      ".github/workflows",
      "examples/control-repository/.github/workflows",
      "examples/workflows",
      "action.yml",
    ]
    const { exitCode, output } = await runCommand(join(programs, "zizmor"), args, { cwd: ROOT, timeoutMs: 60_000 })
    assert.equal(exitCode, 0, output)
  })
}

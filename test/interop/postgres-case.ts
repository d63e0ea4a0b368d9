import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const TIMEOUT_MS = 600_000

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** The suites of `test/interop/postgres`, which run against the system's PostgreSQL and PgBouncer. */
export async function postgresCase(_: string, check: Check): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "daypass-postgres-case-"))
  const file = join(folder, "report.json")
  const args = [
    "vitest",
    "run",
    "--config",
    "test/vitest.postgres.config.ts",
    "--reporter=json",
    `--outputFile=${file}`,
  ]
  const { exitCode, output } = await runCommand("npx", args, { cwd: ROOT, timeoutMs: TIMEOUT_MS })
  const report = JSON.parse(readFileSync(file, "utf8")) as Report
  rmSync(folder, { recursive: true })
  for (const { name, message, assertionResults } of report.testResults) {
    const failed = assertionResults.filter(({ status }) => status !== "passed")
    const reasons = failed.map(({ fullName, failureMessages }) => `${fullName}\n${failureMessages.join("\n")}`)
    await check(`${assertionResults.length} tests of ${name.slice(ROOT.length)}`, () => {
      if (assertionResults.length === 0 || reasons.length > 0) throw new Error([message, ...reasons].join("\n"))
    })
  }
  await check("the run of these tests ended well", () => {
    if (exitCode !== 0) throw new Error(`vitest ended with ${exitCode}:\n${output}`)
  })
}

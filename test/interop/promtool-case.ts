import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { send } from "../flow/world.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { runCommand } from "./command.ts"
import type { Check } from "./run.ts"
import { installPromtool } from "./tools.ts"

const EXAMPLES = fileURLToPath(new URL("../../examples/monitoring/", import.meta.url))
const JOB = { repository: "acme/shop", repository_id: "41", repository_owner_id: "9001", ref: "refs/heads/main" }

/** What a dashboard's variables stand for in a query. */
const VARIABLES: readonly (readonly [string, string])[] = [
  ["$__rate_interval", "5m"],
  ["$job", ".+"],
]

/** The examples for monitoring, and a broker's own metrics, as Prometheus's own tool reads them. */
export async function promtoolCase(_: string, check: Check): Promise<void> {
  const promtool = await installPromtool()
  const folder = mkdtempSync(join(tmpdir(), "daypass-promtool-"))
  const run = async (...args: string[]) => {
    const { exitCode, output } = await runCommand(promtool, args, { cwd: EXAMPLES, timeoutMs: 60_000 })
    assert.equal(exitCode, 0, output)
  }
  try {
    await check("promtool accepts the example's scrape configuration", () =>
      run("check", "config", "--syntax-only", "prometheus.yml"),
    )
    await check("promtool accepts the alert rules", () => run("check", "rules", "--lint=all", "alerts.yml"))
    await check("the alerts fire when they must, and not otherwise", () => run("test", "rules", "alerts.test.yml"))
    await check("promtool parses every query of the dashboard", async () => {
      const rules = queriesOf(readFileSync(join(EXAMPLES, "dashboard.json"), "utf8")).map((expr, index) => ({
        record: `dashboard:query:${index}`,
        expr: VARIABLES.reduce((text, [name, value]) => text.replaceAll(name, value), expr),
      }))
      assert.ok(rules.length > 15)
      const file = join(folder, "dashboard.yml")
      // JSON is YAML.
      writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }))
      await run("check", "rules", file)
    })
    await check("promtool finds nothing to mend in a broker's metrics", async () => {
      const file = join(folder, "metrics.txt")
      writeFileSync(file, await metricsOfBroker(folder))
      const checked = await runCommand("sh", ["-c", `exec "${promtool}" check metrics <"${file}"`], {
        timeoutMs: 60_000,
      })
      assert.deepEqual(checked, { exitCode: 0, output: "" })
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every `expr` of a dashboard. */
function queriesOf(text: string): readonly string[] {
  const queries: string[] = []
  JSON.parse(text, (key, value) => {
    if (key === "expr") queries.push(value)
    return value
  })
  return queries
}

/** What a broker tells after an exchange, a denial, and the use of a token twice. */
async function metricsOfBroker(folder: string): Promise<string> {
  const github = await startGitHub()
  const policies = join(folder, "policies")
  mkdirSync(policies)
  writeFileSync(
    join(policies, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  oidc: { provider: identity-token, audiences: ["https://vault.example.com"] }
  operators: { provider: broker, may: [metrics.read] }
`,
  )
  writeFileSync(
    join(policies, "shop.yaml"),
    `version: 1
repository: acme/shop
repository_id: "41"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [vault, metrics] }
grants:
  vault: { connection: oidc, audience: "https://vault.example.com" }
  metrics: { connection: operators, may: [metrics.read] }
`,
  )
  const broker = await startNodeBroker({ policies })
  let run = 0
  const exchange = async (grant: string, token?: string) =>
    await send(broker, "/v1/exchange", {
      token: token ?? (await github.mint({ ...JOB, run_id: `${++run}` }, { audience: broker.url })),
      body: { grants: [grant] },
    })
  try {
    const token = await github.mint({ ...JOB, run_id: "9000" }, { audience: broker.url })
    await exchange("vault", token)
    await exchange("vault", token)
    await exchange("unknown")
    const given = JSON.stringify((await exchange("metrics")).json)
    const [, operator = ""] = /"value":"([^"]+)"/.exec(given) ?? []
    const { status, text } = await send(broker, "/metrics", { token: operator })
    assert.equal(status, 200)
    assert.match(text, /daypass_exchanges_total\{outcome="refused",code="token_already_used"\} 1/)
    return text
  } finally {
    await broker.stop()
    await github.close()
  }
}

// `npm run bench [-- --json]`: the budgets, each as a ratio in one run, and figures of the exchange on both runtimes.
import { appendFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { writeFlowPolicies } from "../flow/policies.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { startGitHub } from "../support/github.ts"
import { measureAction, measureRefusals } from "./action.ts"
import { actionBundleBytes, WORKER_BUDGET_BYTES, workerBundle } from "./bundles.ts"
import { measureStart } from "./command-line.ts"
import { measureDecide } from "./decide.ts"
import { measureExchanges } from "./exchanges.ts"
import { measureFolder } from "./folder.ts"
import { round } from "./load.ts"
import { measurePublished } from "./published.ts"
import { startLoadIssuer } from "./tokens.ts"

/** A budget as a ratio to its floor: less is better, and at most `budget` is kept. */
interface Row {
  readonly name: string
  readonly ratio: number
  readonly budget: number
  readonly ok: boolean
}

const ACTION_BUDGET_BYTES = 250 * 1024
const REFUSAL_BUDGET_MS = 1000
/** 150 ms where Node itself takes 40. */
const START_BUDGET = 3.75
const MANY = 10_000
const FOLDER_BUDGET_MS = 5000

const json = process.argv.includes("--json")
const say = (text: string) => void process.stderr.write(json ? "" : `${text}\n`)

const row = (name: string, ratio: number, budget: number): Row => ({
  name,
  ratio: round(ratio),
  budget,
  ok: ratio <= budget,
})

const rounded = (values: object) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, round(value)]))

await using ends = new AsyncDisposableStack()
const folder = mkdtempSync(join(tmpdir(), "daypass-bench-"))
ends.defer(() => rmSync(folder, { recursive: true, force: true }))
const issuer = await startLoadIssuer()
ends.defer(() => issuer.close())
const policies = join(folder, "policies")
writeFlowPolicies(policies, { issuer: issuer.issuer, sts: "http://127.0.0.1:9" })
// One repository makes all exchanges here, far beyond what any repository does.
appendFileSync(
  join(policies, "daypass.yaml"),
  'limits: [{ when: { repository: "acme/*" }, exchanges_per_minute: 100000, open_leases: 1000000 }]\n',
)

say("exchanges on Node and in workerd, against a bare route ...")
const exchanges = await measureExchanges(ends, issuer, policies)

say("decisions ...")
const decisions = measureDecide(10, MANY)
const wideDecisions = measureDecide(10, MANY, "wide")

say("a folder and a published set of 10,000 policies ...")
const scale = { folder: await measureFolder(MANY), published: await measurePublished(MANY) }

say("the action, spawn to exit ...")
const github = await startGitHub()
ends.defer(() => github.close())
const actionPolicies = join(folder, "action-policies")
writeFlowPolicies(actionPolicies, { issuer: github.issuer, sts: "http://127.0.0.1:9" })
const actionBroker = await startNodeBroker({ policies: actionPolicies })
ends.defer(async () => void (await actionBroker.stop()))
const action = await measureAction(github, actionBroker)
const refusalMs = await measureRefusals(github, actionBroker)

say("the command line, built, spawn to exit ...")
const start = await measureStart()

say("bundles ...")
const worker = workerBundle()
const actionBytes = actionBundleBytes()

const rows: readonly Row[] = [
  row("time an exchange takes on Node against a bare Hono route", exchanges.ratio, 1),
  row("decide with 10,000 policies against 10", decisions.many_us / decisions.few_us, 1.2),
  row("the same, each by a pattern and below a ceiling", wideDecisions.many_us / wideDecisions.few_us, 1.2),
  row("a folder of 10,000 policies: time to open against 5 s", scale.folder.open_ms / FOLDER_BUDGET_MS, 1),
  row("action spawn to exit against bare node:http", action.action_ms / action.bare_ms, 1.4),
  row("the same against bare node:http that opens its answer", action.action_ms / action.bare_key_ms, 1.25),
  row("command line, built: start against bare node", start.start_ms / start.bare_ms, START_BUDGET),
  row("Worker bundle, gzip, against 270 KB", worker.gzipBytes / WORKER_BUDGET_BYTES, 1),
  row("action bundle against 250 KB", actionBytes / ACTION_BUDGET_BYTES, 1),
  row("a job without permission, or denied: time to fail against 1 s", refusalMs / REFUSAL_BUDGET_MS, 1),
]
const figures = {
  ...exchanges.figures,
  decide: {
    policies_10_us: round(decisions.few_us),
    policies_10000_us: round(decisions.many_us),
    wide_10_us: round(wideDecisions.few_us),
    wide_10000_us: round(wideDecisions.many_us),
    load_10000_ms: Math.round(decisions.load_many_ms),
  },
  folder_10000: rounded(scale.folder),
  published_10000: rounded(scale.published),
  action: {
    action_ms: round(action.action_ms),
    bare_ms: round(action.bare_ms),
    bare_key_ms: round(action.bare_key_ms),
    refusal_ms: round(refusalMs),
  },
  command_line: rounded(start),
  bundles: {
    worker_gzip_bytes: worker.gzipBytes,
    action_bytes: actionBytes,
    vendor_shares: rounded(
      Object.fromEntries(Object.entries(worker.vendorBytes).map(([vendor, bytes]) => [vendor, bytes / worker.bytes])),
    ),
  },
}

if (json) {
  console.log(JSON.stringify({ rows, figures }, null, 2))
} else {
  console.log("\nbudget                                                            ratio    at most")
  for (const { name, ratio, budget, ok } of rows) {
    console.log(
      `${ok ? "ok  " : "OVER"} ${name.padEnd(60)} ${String(ratio).padStart(6)}   ${String(budget).padStart(6)}`,
    )
  }
  console.log("\nidentity-token exchanges, 16 at a time, a fresh token each")
  for (const [name, value] of Object.entries(exchanges.figures)) {
    console.log(
      `     ${name.padEnd(26)} ${String(value.requests_per_second).padStart(6)}/s   p50 ${value.p50_ms} ms   p99 ${value.p99_ms} ms`,
    )
  }
  const { decide, folder_10000, published_10000, action, command_line, bundles } = figures
  console.log(`\n${JSON.stringify({ decide, folder_10000, published_10000, action, command_line, bundles }, null, 2)}`)
}
process.exitCode = rows.every(({ ok }) => ok) ? 0 : 1

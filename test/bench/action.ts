import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { writeFlowPolicies } from "../flow/policies.ts"
import { DEPLOYMENT, makeJobKey } from "../flow/world.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type ActionStep, actionNode, definition, runAction, stepEnvironment } from "../support/runner.ts"
import { atMost, type Bench, type Section } from "./section.ts"

const BARE = fileURLToPath(new URL("bare-client.cjs", import.meta.url))
const RUNS = 21

const REFUSAL_BUDGET_MS = 1000

/** The action against a bare client that makes the same calls, and a job that cannot succeed. */
export async function measureSteps({ ends, folder }: Pick<Bench, "ends" | "folder">): Promise<Section> {
  const github = await startGitHub()
  ends.defer(() => github.close())
  const policies = join(folder, "policies")
  writeFlowPolicies(policies, { issuer: github.issuer, sts: "http://127.0.0.1:9" })
  const broker = await startNodeBroker({ policies })
  ends.defer(async () => void (await broker.stop()))
  const times = await measureAction(github, broker)
  const refusal = await measureRefusals(github, broker)
  return {
    rows: [
      atMost("action spawn to exit against bare node:http", times.action_ms / times.bare_ms, 1.4),
      atMost("the same against bare node:http that opens its answer", times.action_ms / times.bare_key_ms, 1.25),
      atMost("a job without permission, or denied: time to fail against 1 s", refusal / REFUSAL_BUDGET_MS, 1),
    ],
    figures: { ...times, refusal_ms: refusal },
  }
}

/**
 * Milliseconds from spawn to exit, the best of runs that take turns: the action's main, the bare client, and the bare client
 * with a key of its own. The best, because whatever else the machine does can only add to a start.
 */
async function measureAction(
  github: GitHub,
  broker: { readonly url: string },
): Promise<{ action_ms: number; bare_ms: number; bare_key_ms: number }> {
  const folder = mkdtempSync(join(tmpdir(), "daypass-bench-"))
  const key = await makeJobKey()
  const job = () => {
    const { requestUrl, requestToken } = github.job(DEPLOYMENT)
    return { url: requestUrl, requestToken }
  }
  const action = () => {
    const step: ActionStep = { entry: "main", inputs: { broker: broker.url, grants: "vault" }, idToken: job() }
    for (const file of ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"])
      writeFileSync(join(folder, file), "")
    writeFileSync(join(folder, "event.json"), "{}")
    return timed([definition().main], stepEnvironment(step, folder))
  }
  const bare = (key: readonly string[]) => {
    const { url, requestToken } = job()
    return timed([BARE, url, requestToken, broker.url, ...key], { PATH: process.env["PATH"] ?? "" })
  }
  const foreign = [JSON.stringify(key.jwk), key.thumbprint]
  try {
    await action()
    await bare(foreign)
    const times: { action_ms: number; bare_ms: number; bare_key_ms: number }[] = []
    for (let run = 0; run < RUNS; run++) {
      times.push({ action_ms: await action(), bare_ms: await bare(foreign), bare_key_ms: await bare([]) })
    }
    const best = (name: keyof (typeof times)[number]) => Math.min(...times.map((each) => each[name]))
    return { action_ms: best("action_ms"), bare_ms: best("bare_ms"), bare_key_ms: best("bare_key_ms") }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Milliseconds until a job that cannot succeed has failed, the slowest of a few, and the most broker calls any made. */
async function measureRefusals(github: GitHub, broker: { readonly url: string }) {
  const denied = github.job({ ...DEPLOYMENT, ref: "refs/heads/feature" })
  const inputs = { broker: broker.url, grants: "vault" }
  const steps: readonly ActionStep[] = [
    { entry: "main", inputs },
    { entry: "main", inputs, idToken: { url: denied.requestUrl, requestToken: denied.requestToken } },
  ]
  let slowest = 0
  for (const step of [...steps, ...steps]) {
    const run = await runAction(step)
    if (run.exitCode !== 1) throw new Error("a job that must fail did not")
    slowest = Math.max(slowest, run.durationMs)
  }
  return slowest
}

function timed(args: readonly string[], env: Record<string, string>): Promise<number> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const child = spawn(actionNode(), args, { env, stdio: ["ignore", "ignore", "pipe"] })
    let said = ""
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk
    })
    child.on("error", reject)
    child.on("exit", (code) =>
      code === 0 ? resolve(performance.now() - startedAt) : reject(new Error(`${args[0]} ended with ${code}: ${said}`)),
    )
  })
}

import { randomBytes } from "node:crypto"
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { type LoadIssuer, startLoadIssuer } from "../../bench/tokens.ts"
import { runScripted } from "../../cli/run-cli.ts"
import { writeFlowPolicies } from "../../flow/policies.ts"
import { type NodeBroker, startNodeBroker } from "../../support/broker-node.ts"
import { makeDatabase, type TestDatabase } from "./database.ts"

const AUDIENCE = "https://broker.example"

let folder: string
let issuer: LoadIssuer
let database: TestDatabase
let brokers: NodeBroker[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "daypass-processes-"))
  issuer = await startLoadIssuer()
  database = await makeDatabase()
  const policies = join(folder, "policies")
  writeFlowPolicies(policies, { issuer: issuer.issuer, sts: "http://127.0.0.1:9" })
  const options = {
    policies,
    store: database.url,
    kek: randomBytes(32).toString("base64"),
    settings: { DAYPASS_DEPLOYMENT: AUDIENCE, DAYPASS_AUDIENCE: AUDIENCE },
  }
  // Both make the tables and the first keys at the same time.
  brokers = await Promise.all([startNodeBroker(options), startNodeBroker(options)])
})
afterEach(async () => {
  await Promise.all(brokers.map((broker) => broker.stop()))
  await issuer.close()
  await database.close()
  rmSync(folder, { recursive: true })
})

const at = (index: number) => brokers[index % 2] as NodeBroker
const exchange = (broker: NodeBroker, token: string) =>
  fetch(`${broker.url}/v1/exchange`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ grants: ["vault"] }),
  })
const version = async (broker: NodeBroker) =>
  ((await (await fetch(`${broker.url}/healthz`)).json()) as { policies: { version: string } }).policies.version

test("two broker processes take a token once of fifty uses, have the same keys, and one goes on when the other is killed", async () => {
  const [token = "", another = ""] = issuer.mint(2, AUDIENCE)
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => exchange(at(index), token)))
  const statuses = answers.map(({ status }) => status)
  expect(statuses.filter((status) => status === 200)).toHaveLength(1)
  const refused = await Promise.all(
    answers.filter(({ status }) => status !== 200).map((answer) => answer.json() as Promise<{ code: string }>),
  )
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(["token_already_used"]))

  const keys = await Promise.all(
    [0, 1].map(async (index) => (await fetch(`${at(index).url}/.well-known/jwks.json`)).text()),
  )
  expect(keys[0]).toBe(keys[1])

  // Each tells the version of its policies over the database, now and each minute; a changed folder is told at once.
  const old = await version(at(0))
  const told = new Map<string, string>()
  await database.admin.listen("daypass", (payload) => {
    const { broker, policies } = JSON.parse(payload) as { broker: string; policies: string }
    told.set(broker, policies)
  })
  writeFlowPolicies(join(folder, "policies"), { issuer: issuer.issuer, sts: "http://127.0.0.1:10" })
  await expect.poll(() => version(at(0)), { timeout: 20_000 }).not.toBe(old)
  const changed = await version(at(0))
  await expect.poll(() => [...told.values()], { timeout: 20_000 }).toEqual([changed, changed])

  await at(0).crash()
  expect((await exchange(at(1), another)).status).toBe(200)
  expect((await exchange(at(1), token)).status).not.toBe(200)
  const password = decodeURIComponent(new URL(database.url).password)
  for (const broker of brokers) expect(broker.stdout() + broker.stderr()).not.toContain(password)
})

const OPS_POLICY = `version: 1
repository: acme/ops
repository_id: "77"
environment: production
allow: [{ name: main, when: { ref: refs/heads/main }, grants: [operator] }]
grants: { operator: { connection: operators, may: [stop] } }
`

test("a stop that one broker orders is in force at the other within 5 seconds, and so is its end", async () => {
  const old = await version(at(0))
  appendFileSync(join(folder, "policies/daypass.yaml"), "  operators: { provider: broker, may: [stop] }\n")
  writeFileSync(join(folder, "policies/acme/ops.yaml"), OPS_POLICY)
  await expect.poll(() => version(at(0)), { timeout: 30_000 }).not.toBe(old)

  const daypass = async (...args: string[]) => {
    const file = join(folder, `token-${args[0]}`)
    const [token = ""] = issuer.mint(1, AUDIENCE, () => ({ repository: "acme/ops", repository_id: "77" }))
    writeFileSync(file, token)
    const options = ["--reason", "a drill", "--broker", at(0).url, "--token-file", file, "--audience", AUDIENCE]
    const { code, err } = await runScripted({}, ...args, ...options)
    expect([code, err]).toEqual([0, expect.anything()])
  }
  const statusAt = async (index: number) => (await exchange(at(index), issuer.mint(1, AUDIENCE)[0] ?? "")).status
  /** How long it takes until the other broker answers so, while jobs ask it all the time, in milliseconds. */
  const until = async (status: number) => {
    const begun = performance.now()
    while ((await statusAt(1)) !== status && performance.now() - begun < 20_000) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    return performance.now() - begun
  }
  expect([await statusAt(0), await statusAt(1)]).toEqual([200, 200])
  await daypass("stop", "connection", "broker")
  expect(await statusAt(0)).toBe(403)
  const [stopped] = [await until(403)]
  await daypass("resume", "connection", "broker")
  expect(await statusAt(0)).toBe(200)
  const resumed = await until(200)
  console.log(
    `a stop was seen by the other broker after ${Math.round(stopped)} ms, its end after ${Math.round(resumed)} ms`,
  )
  expect(Math.max(stopped, resumed)).toBeLessThan(5000)
}, 120_000)

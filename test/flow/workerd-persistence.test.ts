import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { SCHEMA_VERSION } from "../../broker/adapters/sqlite/schema.ts"
import { startWorkerdBroker, type WorkerdBroker } from "../support/broker-workerd.ts"
import { exportTrail } from "../support/export-trail.ts"
import { type GitHub, startGitHub } from "../support/github.ts"
import { freePort, type LoopbackServer, readBody, startServer } from "../support/servers.ts"
import type { Vendor } from "../support/vendor.ts"
import { connectionLines, TOOLS, toolsJob, trustBroker, writeToolsPolicy } from "../support/vendor-world.ts"
import { startVaultVendor } from "../support/vendors/vault.ts"
import { verifyChain } from "../support/verify-chain.ts"
import { send } from "./world.ts"

const MINUTE = 60
const HOUR = 60 * MINUTE

describe("a broker in workerd that ends and starts again with its data", () => {
  const folder = mkdtempSync(join(tmpdir(), "daypass-persistence-"))
  const policies = join(folder, "policies")
  const kek = randomBytes(32).toString("base64")
  let github: GitHub
  let vault: Vendor
  let slowly: LoopbackServer
  /** How long each answer of the vendor takes. */
  let delayMs = 0
  let port = 0
  let data = ""
  let broker: WorkerdBroker
  let runs = 100

  const start = async () => {
    broker = await startWorkerdBroker({ policies, port, data, kek })
  }
  /** workerd is ended by SIGKILL, with whatever it has under way. */
  const killAndStart = async () => {
    await broker.stop()
    await start()
  }

  beforeAll(async () => {
    github = await startGitHub()
    vault = await startVaultVendor()
    const [settings] = Object.values(vault.connections) as [{ readonly url: string }]
    slowly = await startServer(
      async (asked, response) => {
        const { method = "GET", url = "/", headers } = asked
        const body = await readBody(asked)
        await new Promise((resolve) => setTimeout(resolve, delayMs))
        const answer = await fetch(`${settings.url}${url}`, {
          method,
          headers: Object.entries(headers).filter(([name]) => /^(?:x-vault-|content-type$)/.test(name)) as [
            string,
            string,
          ][],
          ...(body === null || body === "" ? {} : { body }),
        })
        response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text())
      },
      // The broker was ended while it waited.
      () => {},
    )
    port = await freePort()
    writeToolsPolicy(policies, [vault])
    writeFileSync(
      join(policies, "daypass.yaml"),
      `version: 1
issuers:
  github: { family: github-actions, url: "${github.issuer}", owners: { acme: "9001" } }
connections:
${connectionLines([vault]).replaceAll(settings.url, slowly.url)}`,
    )
    await trustBroker([vault], `http://127.0.0.1:${port}`)
  })

  beforeEach(async () => {
    data = mkdtempSync(join(folder, "data-"))
    await start()
  })

  afterEach(async () => {
    vault.fail?.(null)
    delayMs = 0
    await broker.stop()
  })

  afterAll(async () => {
    await slowly?.close()
    await vault?.close()
    await github?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const object = () => broker.object(github.issuer, TOOLS.repository_id)
  const token = (run: number) => github.mint(toolsJob(String(run)), { audience: broker.url })
  const exchange = (subjectToken: string, grant = "vault-token") =>
    send(broker, "/v1/exchange", { token: subjectToken, body: { grants: [grant] } })
  const revoke = async (run: number, lease: unknown) =>
    send(broker, `/v1/leases/${String(lease)}`, { method: "DELETE", token: await token(run) })
  const trail = () => broker.auditTrail(github.issuer, TOOLS.repository_id)
  const events = async () => (await trail()).map(({ record }) => record.event)
  /** Waits until the vendor was asked and does not answer. */
  const untilStuck = (line: string) =>
    expect.poll(() => vault.requests.slice(seen).join()).toMatch(new RegExp(`${line}.* \\(slow\\)`))
  let seen = 0
  const stickAt = () => {
    seen = vault.requests.length
    vault.fail?.("slow")
  }
  /** What every story must come to. */
  const expectWhole = async () => {
    expect(vault.alive()).toBe(0)
    const key = { issuer: github.issuer, unit_id: TOOLS.repository_id }
    expect(verifyChain([new TextEncoder().encode(exportTrail(key, await trail()))])).toMatchObject({ ok: true })
  }

  it("has its tokens used, its leases, its alarm, its keys and its trail", async () => {
    const run = runs++
    const used = await token(run)
    const { status, json } = await exchange(used)
    expect(status).toBe(200)
    const before = {
      trail: await trail(),
      alarm: await object().testAlarmAt(),
      keys: (await send(broker, "/.well-known/jwks.json")).text,
    }
    await killAndStart()
    expect({
      trail: await trail(),
      alarm: await object().testAlarmAt(),
      keys: (await send(broker, "/.well-known/jwks.json")).text,
    }).toEqual(before)
    expect(await exchange(used)).toMatchObject({ status: 401, json: { code: "token_already_used" } })
    expect((await revoke(run, json["lease"])).status).toBe(200)
    await expectWhole()
  })

  it("killed while it mints: the token is used, nothing more is minted, and the lease closes in its time", async () => {
    const run = runs++
    const used = await token(run)
    stickAt()
    const lost = exchange(used).catch(() => null)
    await untilStuck("auth/jwt")
    await killAndStart()
    await lost
    vault.fail?.(null)
    expect(await events()).toEqual(["exchange.intended"])
    expect((await exchange(used)).json["code"]).toBe("token_already_used")
    await broker.advance(2 * HOUR)
    await object().testAlarm()
    expect((await trail()).at(-1)?.record).toMatchObject({ event: "lease.closed" })
    await expectWhole()
  })

  it("killed while it revokes: the next sweep revokes again", async () => {
    const run = runs++
    const { json } = await exchange(await token(run))
    expect(vault.alive()).toBeGreaterThan(0)
    stickAt()
    const lost = revoke(run, json["lease"]).catch(() => null)
    await untilStuck("revoke")
    await killAndStart()
    await lost
    vault.fail?.(null)
    await broker.advance(MINUTE)
    await object().testAlarm()
    expect((await trail()).at(-1)?.record).toMatchObject({ event: "lease.closed", lease: json["lease"] })
    await expectWhole()
  })

  it("killed while it sweeps: the alarm is still set, and the next sweep ends the lease", async () => {
    const { json } = await exchange(await token(runs++))
    await broker.advance(20 * MINUTE)
    stickAt()
    const lost = object()
      .testAlarm()
      .catch(() => null)
    await untilStuck("revoke")
    await killAndStart()
    await lost
    vault.fail?.(null)
    expect(await object().testAlarmAt()).not.toBe(null)
    await broker.advance(30 * MINUTE)
    await object().testAlarm()
    expect((await trail()).at(-1)?.record).toMatchObject({ event: "lease.closed", lease: json["lease"] })
    await expectWhole()
  })

  it("as an older version, after a rollback: it refuses, sets the alarm anew, and the right version ends the lease", async () => {
    const run = runs++
    const { json } = await exchange(await token(run))
    const newer = SCHEMA_VERSION + 1
    await object().testSql(`UPDATE schema_version SET version = ${newer}, readable_from = ${newer}`)
    await killAndStart()
    expect(await exchange(await token(run))).toMatchObject({ status: 503, json: { code: "ledger_unavailable" } })
    await broker.advance(20 * MINUTE)
    for (let attempt = 0; attempt < 7; attempt++) await object().testAlarm()
    expect(await object().testAlarmAt()).not.toBe(null)
    expect(vault.alive()).toBeGreaterThan(0)

    await object().testSql(`UPDATE schema_version SET version = ${SCHEMA_VERSION}`)
    await killAndStart()
    await broker.advance(20 * MINUTE)
    await object().testAlarm()
    expect((await trail()).at(-1)?.record).toMatchObject({ event: "lease.closed", lease: json["lease"] })
    await expectWhole()
  })

  it("as an older version of a schema that only adds: it goes on", async () => {
    const run = runs++
    const { json } = await exchange(await token(run))
    await object().testSql(
      `UPDATE schema_version SET version = ${SCHEMA_VERSION + 1}, readable_from = ${SCHEMA_VERSION}`,
    )
    await killAndStart()
    expect((await revoke(run, json["lease"])).status).toBe(200)
    await expectWhole()
  })

  it("full: mints nothing, leaves the token good, and goes on when there is room again", async () => {
    const run = runs++
    const { json } = await exchange(await token(run))
    const another = await token(run)
    const asked = vault.requests.length
    await object().testFull(true)
    expect(await exchange(another)).toMatchObject({ status: 503, json: { code: "ledger_unavailable" } })
    expect(vault.requests.length).toBe(asked)
    await object().testFull(false)
    const { status, json: second } = await exchange(another)
    expect(status).toBe(200)
    for (const lease of [json["lease"], second["lease"]]) expect((await revoke(run, lease)).status).toBe(200)
    await expectWhole()
  })

  it("revokes what it minted for a job that hung up meanwhile", async () => {
    delayMs = 300
    seen = vault.requests.length
    const exchanging = request(`${broker.url}/v1/exchange`, {
      method: "POST",
      headers: { authorization: `Bearer ${await token(runs++)}`, "content-type": "application/json" },
    })
    exchanging.on("error", () => {})
    exchanging.end(JSON.stringify({ grants: ["vault-token"] }))
    await expect.poll(() => vault.requests.slice(seen).join()).toContain("auth/jwt")
    // workerd takes an ended TCP connection for a half-closed one. Only a reset is a client that is gone.
    exchanging.socket?.resetAndDestroy()
    await expect.poll(() => vault.requests.slice(seen).join()).toContain("revoke")
    await expect.poll(async () => (await trail()).at(-1)?.record.reason).toMatch(/client/)
    expect(await events()).toEqual(["exchange.intended", "exchange.failed"])
    await expectWhole()
  })

  it("with another key, or as another deployment: it is unavailable, and its health and its log say why", async () => {
    await exchange(await token(runs++))
    await broker.stop()
    for (const [change, reason] of [
      [{ kek: randomBytes(32).toString("base64") }, /another DAYPASS_KEK/],
      [{ settings: { DAYPASS_DEPLOYMENT: "elsewhere" } }, /DAYPASS_DEPLOYMENT/],
    ] as const) {
      const starting = startWorkerdBroker({ policies, port, data, kek, ...change })
      await expect(starting).rejects.toThrow(/answered 503: .*"keys":\{"state":"unavailable"/)
      await expect(starting).rejects.toThrow(reason)
      await expect(starting).rejects.toThrow(/"event":"keys.unusable"/)
    }
    await start()
  })

  it("with a jurisdiction that its objects do not have: it grants nothing, says why, and ends what is open", async () => {
    const before = vault.alive()
    await exchange(await token(runs++))
    expect(vault.alive()).toBeGreaterThan(before)
    await broker.stop()
    const settings = { DAYPASS_JURISDICTION: "eu" }
    broker = await startWorkerdBroker({ policies, port, data, kek, jurisdictions: true, isUnfit: true, settings })
    expect(await exchange(await token(runs++))).toMatchObject({ status: 503, json: { code: "configuration_invalid" } })
    await expect.poll(() => broker.output()).toContain("the objects of this deployment have no jurisdiction")
    await broker.advance(HOUR)
    await object().testAlarm()
    expect((await trail()).at(-1)?.record).toMatchObject({ event: "lease.closed" })
    expect(vault.alive()).toBe(before)
  })

  it("in a jurisdiction: it keeps to it, and refuses any other setting by name", async () => {
    await broker.stop()
    data = mkdtempSync(join(folder, "data-"))
    const startIn = async (place: string, jurisdictions = true) => {
      const settings = { DAYPASS_JURISDICTION: place }
      broker = await startWorkerdBroker({ policies, port, data, kek, jurisdictions, settings })
    }
    // Without a mark: what the platform does not have must not be fixed.
    await expect(startIn("us", false)).rejects.toThrow(/this platform has no jurisdiction us/)
    await startIn("eu")
    const used = await token(runs++)
    expect((await exchange(used)).status).toBe(200)
    await broker.stop()
    await expect(startIn("")).rejects.toThrow(
      /answered 503: .*configuration_invalid[\s\S]*fixed to eu. Set it to eu again/,
    )
    await startIn("eu")
    expect(await exchange(used)).toMatchObject({ status: 401, json: { code: "token_already_used" } })
  })
})

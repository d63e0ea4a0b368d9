import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { readAuditTrail } from "../../broker/adapters/node/audit-reader.ts"
import { type NodeBroker, startNodeBroker } from "../support/broker-node.ts"
import { freePort } from "../support/servers.ts"
import { type IncidentWorld, LEDGER_ID, soon, startIncidentWorld } from "./incident-world.ts"
import { trailFromExport } from "./trail.ts"
import { send } from "./world.ts"

const MINUTE = 60
const HOUR = 60 * MINUTE
const KEK = randomBytes(32).toString("base64")

// What a broker on Node must survive: its process dies, its clock is wrong, its policies lose what they named.

describe("a broker on Node in an incident", () => {
  let world: IncidentWorld
  let broker: NodeBroker
  let place: { readonly data: string; readonly port: number }

  const start = async (aheadSeconds = 0) => {
    broker = await startNodeBroker({
      ...place,
      policies: world.policies,
      settings: world.settings,
      kek: KEK,
      aheadSeconds,
    })
  }
  beforeAll(async () => {
    world = await startIncidentWorld()
    place = { data: mkdtempSync(join(tmpdir(), "daypass-incident-")), port: await freePort() }
    await start()
    await world.trust(broker.url)
  })
  afterAll(async () => {
    await broker?.stop()
    await world?.close()
    rmSync(place.data, { recursive: true, force: true })
  })

  const records = async () =>
    (await trailFromExport(readAuditTrail(broker.data), world.github.issuer, LEDGER_ID)).map(({ record }) => record)
  const lastRecord = async () => (await records()).at(-1)

  /** Kills the broker after the vendor acted and before the broker learns of it; starts it again two minutes later. */
  async function killWhile(proxy: IncidentWorld["apiProxy"], which: RegExp, grant: string) {
    await broker.stop()
    await start()
    const held = proxy.hold(which)
    const asked = send(broker, "/v1/exchange", { token: await world.token(broker.url), body: { grants: [grant] } })
    const failed = asked.then(
      ({ text }) => text,
      () => "the connection broke",
    )
    expect(await Promise.race([held.acted.then(() => "the vendor acted"), failed])).toBe("the vendor acted")
    await broker.crash()
    held.release()
    expect(await failed).toBe("the connection broke")
    await start(2 * MINUTE)
  }

  it("that dies after GitHub made a token records that it does not know, and until when the token lives", async () => {
    await killWhile(world.apiProxy, /^POST \/app\/installations\/[0-9]+\/access_tokens/, "github-release")
    expect(world.api.alive()).toBe(1)
    await soon(async () => expect((await lastRecord())?.event).toBe("lease.closed"))
    const { reason = "", at = "" } = (await lastRecord()) ?? {}
    const until = /^unknown: the exchange was interrupted; what it minted lives at the latest until (.+)$/.exec(
      reason,
    )?.[1]
    expect(until, reason).toBeDefined()
    // GitHub's tokens live an hour; the record is two minutes later.
    const left = (Date.parse(until ?? "") - Date.parse(at)) / 1000
    expect(left).toBeGreaterThan(57 * MINUTE)
    expect(left).toBeLessThan(HOUR)
  })

  it("that dies after Vault made a database user has it revoked by the login that was recorded before", async () => {
    await killWhile(world.vaultProxy, /^GET \/v1\/database\/creds\//, "vault-database")
    await soon(() => expect(world.vault.alive()).toBe(0))
    await soon(async () =>
      expect(await lastRecord()).toMatchObject({
        event: "lease.closed",
        reason: "ended by the broker: revoked 1",
      }),
    )
  })

  it("whose clock was three hours ahead keeps every handle, and takes no used token again", async () => {
    await broker.stop()
    await start()
    const { lease, token } = await world.exchange(broker, "github-release")
    const alive = world.api.alive()
    await broker.stop()
    world.api.fail?.("unavailable")
    await start(3 * HOUR)
    // The sweep at its start finds the lease over, and GitHub down.
    await soon(() => expect(broker.stdout()).toContain('"event":"revocation.failed"'))
    await broker.stop()
    world.api.fail?.(null)
    await start()
    await soon(() => expect(broker.stdout()).toContain('"event":"clock.behind"'))
    expect((await send(broker, "/healthz")).json).toMatchObject({
      status: "degraded",
      parts: { clock: { state: "degraded" } },
    })
    const again = await send(broker, "/v1/exchange", { token, body: { grants: ["github-release"] } })
    expect(again.status).toBe(401)
    expect(["token_already_used", "token_too_old"]).toContain(again.json["code"])
    const ended = await world.end(broker, lease)
    await soon(() => expect(world.api.alive()).toBe(alive - 1))
    expect(ended.status).toBe(200)
    // A job of now is served.
    await world.end(broker, (await world.exchange(broker, "github-release")).lease)
  })

  it("whose clock jumps while it runs says so, and goes on", async () => {
    await broker.stop()
    broker = await startNodeBroker({
      ...place,
      policies: world.policies,
      settings: world.settings,
      kek: KEK,
      movableClock: true,
    })
    await broker.jump(-3 * HOUR)
    const health = await send(broker, "/healthz")
    expect(health.json).toMatchObject({
      parts: { clock: { state: "degraded", reason: expect.stringContaining("behind") } },
    })
    expect(
      (
        await send(broker, "/v1/exchange", {
          token: await world.token(broker.url),
          body: { grants: ["github-release"] },
        })
      ).json,
    ).toMatchObject({ code: "token_not_yet_valid" })
    await broker.jump(3 * HOUR)
    await world.end(broker, (await world.exchange(broker, "github-release")).lease)
  })

  it("whose connection was removed revokes what was minted through it", async () => {
    const { lease } = await world.exchange(broker, "github-release")
    const alive = world.api.alive()
    const { version } = (await send(broker, "/healthz")).json["policies"] as { version: string }
    world.organise(["github-acme"])
    await soon(async () => expect((await send(broker, "/healthz")).json).not.toMatchObject({ policies: { version } }))
    const ended = await world.end(broker, lease)
    expect(ended.json["credentials"]).toMatchObject({ "github-release": { outcome: "revoked" } })
    expect(world.api.alive()).toBe(alive - 1)
  })
})

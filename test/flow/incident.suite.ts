import { request } from "node:http"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { newLeaseId } from "../../broker/wire/lease-id.ts"
import { type ActionStep, runAction } from "../support/runner.ts"
import { toolsJob } from "../support/vendor-world.ts"
import { type IncidentWorld, LEDGER_ID, soon, startIncidentWorld } from "./incident-world.ts"
import { makeJobKey, type RunningBroker, type StartBroker, send } from "./world.ts"

/** What happens to credentials when something breaks at the worst moment, on every runtime. */
export function incidentSuite(runtime: string, startBroker: StartBroker): void {
  describe(`an incident with the broker on ${runtime}`, () => {
    let world: IncidentWorld
    let broker: RunningBroker
    beforeAll(async () => {
      world = await startIncidentWorld()
      broker = await startBroker({ policies: world.policies, settings: world.settings })
      await world.trust(broker.url)
    })
    afterAll(async () => {
      await broker?.stop()
      await world?.close()
    })

    const TOKENS = /^POST \/app\/installations\/[0-9]+\/access_tokens/
    const lastRecord = async () => (await broker.trail(world.github.issuer, LEDGER_ID)).at(-1)?.record

    it("in which a client hangs up while the broker mints leaves nothing alive, and the record says so", async () => {
      const held = world.apiProxy.hold(TOKENS)
      const asking = request(`${broker.url}/v1/exchange`, {
        method: "POST",
        headers: { authorization: `Bearer ${await world.token(broker.url)}`, "content-type": "application/json" },
      })
      asking.on("error", () => {})
      asking.end(JSON.stringify({ grants: ["github-release"] }))
      await held.acted
      expect(world.api.alive()).toBe(1)
      // workerd takes a TCP connection that was ended for a half-closed one. Only a reset is a client that is gone.
      asking.socket?.resetAndDestroy()
      // The broker must have seen it before the vendor's answer comes: a connection's end takes a moment on its way.
      await new Promise((resolve) => setTimeout(resolve, 200))
      held.release()
      await soon(() => expect(world.api.alive()).toBe(0))
      await soon(async () =>
        expect(await lastRecord()).toMatchObject({ event: "exchange.failed", reason: "client_gone" }),
      )
      await soon(() => expect(broker.output()).toContain('"code":"client_gone"'))
    })

    /** The built action, in a job of the run. */
    const step = (): Omit<ActionStep, "entry"> => {
      const { requestUrl, requestToken } = world.github.job(toolsJob("1"))
      const inputs = { broker: broker.url, grants: "github-release" }
      return { inputs, idToken: { url: requestUrl, requestToken } }
    }

    it("in which a step is killed while the broker mints: its post step ends the lease before it is handed out", async () => {
      const held = world.apiProxy.hold(TOKENS)
      const main = await runAction({ ...step(), entry: "main", killed: held.acted })
      expect([main.exitCode, world.api.alive()]).toEqual([null, 1])
      const post = await runAction({ ...step(), entry: "post", state: main.state })
      expect([post.exitCode, post.stderr]).toEqual([0, ""])
      expect(post.log).toMatch(/^One exchange of this step did not end\. .* What it cannot revoke lives until /)
      expect(await lastRecord()).toMatchObject({ event: "lease.revoking", reason: "asked by the job" })
      held.release()
      await soon(() => expect(world.api.alive()).toBe(0))
      await soon(async () =>
        expect(await lastRecord()).toMatchObject({ event: "exchange.failed", reason: "client_gone" }),
      )
    })

    it("in which a step is killed, and the broker mints nevertheless: its post step revokes what nobody received", async () => {
      const held = world.apiProxy.hold(TOKENS)
      const main = await runAction({ ...step(), entry: "main", killed: held.acted })
      held.release()
      // Whether the broker sees that the client is gone depends on the runtime, and on proxies.
      await soon(async () => expect((await lastRecord())?.event).toMatch(/^exchange\.(minted|failed)$/))
      const post = await runAction({ ...step(), entry: "post", state: main.state })
      expect([post.exitCode, post.stderr, post.log]).toEqual([0, "", expect.not.stringContaining("::warning")])
      expect(world.api.alive()).toBe(0)
    })

    it("in which a request arrives after its job has ended the lease mints nothing", async () => {
      const [lease, key] = [newLeaseId(new Date(), crypto.randomUUID()), await makeJobKey()]
      const token = await world.token(`${broker.url}?jkt=${key.thumbprint}`)
      expect((await world.end(broker, lease)).json["code"]).toBe("lease_not_found")
      const body = { grants: ["github-release"], key: key.jwk, lease }
      const late = await send(broker, "/v1/exchange", { token, body })
      expect([late.status, late.json["code"], world.api.alive()]).toEqual([409, "lease_taken", 0])
      // The token was not used up.
      const next = { ...body, lease: newLeaseId(new Date(), crypto.randomUUID()) }
      const answer = await send(broker, "/v1/exchange", { token, body: next })
      expect([answer.status, (await key.open(answer.text)).lease]).toEqual([200, next.lease])
      await world.end(broker, next.lease)
      expect(world.api.alive()).toBe(0)
    })

    it("in which two calls end one lease is one revocation, and the second says that it is under way", async () => {
      const { lease } = await world.exchange(broker, "github-release")
      const held = world.apiProxy.hold(/^DELETE \/installation\/token/)
      const first = world.end(broker, lease)
      await held.acted
      const second = await world.end(broker, lease)
      expect([second.status, second.json["credentials"]]).toMatchObject([
        200,
        { "github-release": { outcome: "revoking" } },
      ])
      held.release()
      expect((await first).json["credentials"]).toMatchObject({ "github-release": { outcome: "revoked" } })
      expect((await world.end(broker, lease)).json["credentials"]).toMatchObject({
        "github-release": { outcome: "revoked" },
      })
    })

    it("in which another run asks for a lease is recorded, and the lease is its own run's to end", async () => {
      const { lease } = await world.exchange(broker, "github-release", "1")
      expect((await world.end(broker, lease, "2")).json["code"]).toBe("lease_not_found")
      expect(await lastRecord()).toMatchObject({
        event: "lease.refused",
        lease,
        reason: "asked by another run",
        identity: { run_id: "2" },
      })
      expect(world.api.alive()).toBe(1)
      expect((await world.end(broker, lease, "1")).status).toBe(200)
      expect(world.api.alive()).toBe(0)
    })
  })
}

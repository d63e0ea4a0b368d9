import { request } from "node:http"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type IncidentWorld, LEDGER_ID, soon, startIncidentWorld } from "./incident-world.ts"
import type { RunningBroker, StartBroker } from "./world.ts"

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

    const lastRecord = async () => (await broker.trail(world.github.issuer, LEDGER_ID)).at(-1)?.record

    it("in which a client hangs up while the broker mints leaves nothing alive, and the record says so", async () => {
      const held = world.apiProxy.hold(/^POST \/app\/installations\/[0-9]+\/access_tokens/)
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

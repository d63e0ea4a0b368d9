import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { startWorkerdBroker } from "../support/broker-workerd.ts"
import { checkpointSuite } from "./checkpoint.suite.ts"
import { consoleSuite } from "./console.suite.ts"
import { environmentsSuite } from "./environments.suite.ts"
import { flowSuite } from "./flow.suite.ts"
import { incidentSuite } from "./incident.suite.ts"
import { keysSuite } from "./keys.suite.ts"
import { leaksSuite } from "./leaks.suite.ts"
import { limitsSuite } from "./limits.suite.ts"
import { writeFlowPolicies } from "./policies.ts"
import { policySuite } from "./policy.suite.ts"
import { recordSuite } from "./record.suite.ts"
import { standardsSuite } from "./standards.suite.ts"
import { stopsSuite } from "./stops.suite.ts"
import { vendorsSuite } from "./vendors.suite.ts"
import { type StartBroker, send } from "./world.ts"

const startBroker: StartBroker = async (options) => {
  const broker = await startWorkerdBroker(options)
  return {
    url: broker.url,
    output: () => broker.output(),
    // In memory alone, in tests.
    stored: () => "",
    trail: (issuer, unitId) => broker.auditTrail(issuer, unitId),
    advance: broker.advance,
    stop: () => broker.stop(),
  }
}

describe("the Worker", () => {
  const policies = mkdtempSync(join(tmpdir(), "daypass-worker-"))
  const settings = { issuer: "https://token.actions.githubusercontent.com", sts: "http://127.0.0.1:9" }
  writeFlowPolicies(policies, settings)
  afterAll(() => rmSync(policies, { recursive: true, force: true }))

  it("answers at its own host alone, with every header and a line in the log", async () => {
    const broker = await startWorkerdBroker({ policies })
    try {
      const { status, json, headers } = await send(
        { url: broker.url.replace("127.0.0.1", "localhost") },
        "/.well-known/jwks.json",
      )
      expect([status, json["code"]]).toEqual([421, "wrong_host"])
      expect(headers.get("strict-transport-security") ?? headers.get("cache-control")).not.toBe(null)
      await expect.poll(() => broker.output()).toContain('"status":421')
      expect((await send(broker, "/.well-known/jwks.json")).status).toBe(200)
    } finally {
      await broker.stop()
    }
  })

  it("refuses to serve as the placeholder of wrangler.toml, and says so in its log", async () => {
    const starting = startWorkerdBroker({ policies, settings: { DAYPASS_URL: "https://daypass.example.com" } })
    await expect(starting).rejects.toThrow(/answered 503: .*configuration_invalid[\s\S]*still the example/)
  })
})

flowSuite("workerd", startBroker)
limitsSuite("workerd", startBroker)
environmentsSuite("workerd", startBroker)
policySuite("workerd", startBroker)
vendorsSuite("workerd", startBroker)
standardsSuite("workerd", startBroker)
incidentSuite("workerd", startBroker)
recordSuite("workerd", startBroker)
checkpointSuite("workerd", startBroker)
stopsSuite("workerd", startBroker)
leaksSuite("workerd", startBroker)
consoleSuite("workerd", startBroker)
keysSuite("workerd", startBroker)

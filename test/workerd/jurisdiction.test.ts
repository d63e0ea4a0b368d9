import { evictAllDurableObjects, reset } from "cloudflare:test"
import { beforeEach, describe, expect, test } from "vitest"
import {
  createCloudflareGuards,
  createCloudflareKeyRing,
  createCloudflareMarks,
} from "../../broker/adapters/cloudflare/ledgers.ts"
import { objects } from "./objects.ts"

const guards = createCloudflareGuards(objects.KEY_RING)

describe("the jurisdiction of a deployment's objects", () => {
  beforeEach(() => reset())

  test("is the first one that is wanted, also after the object was evicted", async () => {
    expect(await guards.fixJurisdiction("eu")).toBe("eu")
    for (const later of ["", "us", "eu"]) {
      await evictAllDurableObjects()
      expect(await guards.fixJurisdiction(later)).toBe("eu")
    }
  })

  test("is none for good, when none is wanted first", async () => {
    expect(await guards.fixJurisdiction("")).toBe("")
    expect(await guards.fixJurisdiction("eu")).toBe("")
  })

  test("is one, when instances with different settings ask at the same time", async () => {
    const answers = await Promise.all(["eu", "", "us", "fedramp"].map((wanted) => guards.fixJurisdiction(wanted)))
    expect(new Set(answers).size).toBe(1)
  })

  test.each([
    ["has made keys", () => createCloudflareKeyRing(objects.KEY_RING).replace(0, [])],
    ["has read policies", () => createCloudflareMarks(objects.KEY_RING).write("issuers", "[]")],
    ["knows a ledger", () => guards.meetLedger("a ledger", "its birth")],
  ])("is none for a deployment of an older version that %s", async (_use, use) => {
    await use()
    expect(await guards.fixJurisdiction("eu")).toBe("")
  })
})

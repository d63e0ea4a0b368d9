import { evictAllDurableObjects, evictDurableObject } from "cloudflare:test"
import { beforeEach, describe, expect, test, vi } from "vitest"
import {
  createCloudflareGuards,
  createCloudflareLedgers,
  ledgerObjectName,
} from "../../broker/adapters/cloudflare/ledgers.ts"
import { ObjectSql } from "../../broker/adapters/cloudflare/sql.ts"
import { readMark } from "../../broker/adapters/sqlite/marks.ts"
import { readStore } from "../../broker/adapters/sqlite/store-row.ts"
import type { Admission } from "../../broker/ports/ledger.ts"
import { admission, revocation } from "../contract/ledger-samples.ts"
import { inside, objects, stubOf } from "./objects.ts"

/** Another repository for each test: its object is new. */
let KEY = { issuerUrl: "https://issuer.example", unitId: "birth" }
let repositories = 0
const guards = createCloudflareGuards(objects.KEY_RING)
const ledger = () => createCloudflareLedgers(objects.LEDGER).of(KEY.issuerUrl, KEY.unitId)
const stub = () => stubOf(KEY.issuerUrl, KEY.unitId)
const now = () => Math.floor(Date.now() / 1000)

/** A request whose token was issued this many seconds from now. */
function issued(lease: string, seconds: number): Admission {
  const request = admission(lease)
  return { ...request, token: { ...request.token, issuedAt: now() + seconds } }
}
/** What becomes of the object's storage when another object takes its place. */
const empty = async () => {
  await inside(stub(), (_object, state) => state.storage.deleteAll())
  await evictDurableObject(stub())
}

describe("a ledger's object", () => {
  const logged: string[] = []

  beforeEach(async () => {
    KEY = { ...KEY, unitId: `birth ${++repositories}` }
    logged.length = 0
    vi.spyOn(console, "log").mockImplementation((line: string) => void logged.push(line))
    // As a deployment's first look at its health does.
    await guards.raiseFloor("2026-11-22T12:00:00.000Z")
  })

  test("that is new takes tokens from when the deployment began, and none from before", async () => {
    expect(await ledger().admit(issued("a", -60))).toEqual({ outcome: "too-old" })
    expect(await ledger().admit(issued("b", 1))).toEqual({ outcome: "admitted" })
    expect(logged).toEqual([])
  })

  test("is introduced once, however many calls come at the same time, and however often it is evicted", async () => {
    const leases = ["a", "b", "c", "d"]
    const outcomes = await Promise.all(leases.map((lease) => ledger().admit(issued(lease, 1))))
    expect(outcomes).toEqual(leases.map(() => ({ outcome: "admitted" })))
    await evictAllDurableObjects()
    expect(await ledger().admit(issued("e", 1))).toEqual({ outcome: "admitted" })
    expect(logged).toEqual([])
  })

  test("that took the place of another refuses the tokens of before, and says so once", async () => {
    expect(await ledger().admit(issued("a", 1))).toEqual({ outcome: "admitted" })
    await empty()
    expect(await ledger().admit(issued("a", 1))).toEqual({ outcome: "too-old" })
    expect(await ledger().admit(issued("b", 30))).toEqual({ outcome: "too-old" })
    expect(await ledger().admit(issued("c", 120))).toEqual({ outcome: "admitted" })
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      { event: "ledger.replaced", detail: expect.any(String), issuer: KEY.issuerUrl, unit_id: KEY.unitId },
    ])
  })

  test("is taken for itself when it crashed while it was introduced", async () => {
    const birth = await inside(stub(), async (object, state) => {
      const meet = vi.spyOn(object as unknown as { meet(): Promise<never> }, "meet")
      meet.mockRejectedValueOnce(new Error("crashed after the guards heard of it"))
      await object.admit(KEY, issued("a", 1))
      return readMark(new ObjectSql(state.storage), "born") ?? ""
    })
    expect(await guards.meetLedger(ledgerObjectName(KEY), birth)).toMatchObject({ isReplacement: false })
    await evictDurableObject(stub())
    expect(await ledger().admit(issued("a", 1))).toEqual({ outcome: "admitted" })
    expect(logged.filter((line) => line.includes("replaced"))).toEqual([])
  })

  test("grants nothing while the guards cannot be asked, and still ends what is there", async () => {
    await inside(stub(), async (object) => {
      vi.spyOn(object as unknown as { meet(): Promise<never> }, "meet").mockRejectedValue(new Error("unreachable"))
      expect(await object.admit(KEY, issued("a", 1))).toMatchObject({ ok: false, code: "ledger_unavailable" })
      expect(await object.beginRevocation(KEY, revocation("a"))).toMatchObject({ ok: true })
    })
  })

  test("of an older version that is not empty takes the tokens that it took before", async () => {
    await ledger().admit(issued("a", 1))
    await inside(stub(), async (_object, state) => {
      state.storage.sql.exec("DELETE FROM marks")
      state.storage.sql.exec("UPDATE store SET accept_from = 0")
    })
    await inside(objects.KEY_RING.getByName("signing-keys"), async (_ring, state) => {
      state.storage.sql.exec("DELETE FROM marks")
    })
    await evictAllDurableObjects()
    expect(await ledger().admit(issued("b", -60))).toEqual({ outcome: "admitted" })
    const store = await inside(stub(), async (_object, state) => readStore(new ObjectSql(state.storage)))
    expect(store.acceptFrom).toBe(0)
  })
})

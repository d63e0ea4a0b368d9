import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { SweptLedger } from "../../../broker/ports/ledger.ts"
import type { NodeStore } from "../../../broker/ports/node-store.ts"
import { admission, HOUR, minted, NOW, opening, revocable, revoked } from "../../contract/ledger-samples.ts"
import { exportTrail } from "../../support/export-trail.ts"
import { verifyChain } from "../../support/verify-chain.ts"
import { makeDatabase, type TestDatabase } from "./database.ts"

const ISSUER = "https://issuer.example"

let database: TestDatabase
let one: NodeStore
let other: NodeStore

beforeEach(async () => {
  database = await makeDatabase()
  ;[one, other] = await Promise.all([database.open(), database.open()])
})
afterEach(async () => {
  await Promise.all([one.close(), other.close()])
  await database.close()
})

const both = () => [one, other] as const
const ledgerOf = (store: NodeStore, unit = "41") => store.ledgers.of(ISSUER, unit) as SweptLedger

async function verify(unit = "41") {
  const trail = await ledgerOf(one, unit).auditTrail(0, 100_000)
  const file = new TextEncoder().encode(exportTrail({ issuer: ISSUER, unit_id: unit }, trail))
  expect(verifyChain([file])).toMatchObject({ ok: true })
  return trail.map(({ record }) => record.event)
}

describe("two brokers with one database", () => {
  test("make its tables at the same time, once", async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => database.open()))
    expect(await Promise.all(stores.map((store) => store.health.look()))).toEqual(stores.map(() => ({ state: "ok" })))
    await Promise.all(stores.map((store) => store.close()))
  })

  test("take a token once, of fifty requests that carry it at the same time", async () => {
    for (let round = 0; round < 5; round++) {
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          ledgerOf(both()[index % 2] ?? one).admit(admission(`lease ${round} ${index}`, `token ${round}`)),
        ),
      )
      expect(outcomes.filter(({ outcome }) => outcome === "admitted")).toHaveLength(1)
      expect(outcomes.filter(({ outcome }) => outcome === "already-used")).toHaveLength(49)
    }
    const events = await verify()
    expect(events.filter((event) => event === "exchange.intended")).toHaveLength(5)
  })

  test("append to one chain without a gap, and to many without waiting for each other", async () => {
    const limits = {
      ...admission("").limits,
      exchangesPerMinute: { max: 10_000, source: "test" },
      openLeases: { max: 10_000, source: "test" },
    }
    const units = ["41", ...Array.from({ length: 10 }, (_, index) => `unit ${index}`)]
    await Promise.all(
      Array.from({ length: 400 }, async (_, index) => {
        const store = both()[index % 2] ?? one
        const unit = index % 4 < 2 ? "41" : (units[index % units.length] ?? "41")
        const lease = `lease ${index}`
        expect(await ledgerOf(store, unit).admit({ ...admission(lease), limits })).toEqual({ outcome: "admitted" })
        await ledgerOf(both()[(index + 1) % 2] ?? one, unit).settle(minted(lease, revocable()))
      }),
    )
    let recorded = 0
    for (const unit of new Set(units)) recorded += (await verify(unit)).length
    expect(recorded).toBe(800)
  })

  test("share the sweep: no lease is handed to both, and none is left", async () => {
    const units = Array.from({ length: 12 }, (_, index) => `unit ${index}`)
    for (const unit of units) {
      for (const lease of ["a", "b", "c"]) {
        await ledgerOf(one, unit).admit({ ...admission(lease), lease: opening(lease) })
        await ledgerOf(one, unit).settle(minted(lease, revocable()))
      }
    }
    const now = NOW + 2 * HOUR
    expect(await other.overdue(now)).toEqual({ leases: 36, since: NOW + HOUR })
    const taken: string[] = []
    const sweep = async (store: NodeStore) => {
      for (let due = await store.due(now, 5); due.length > 0; due = await store.due(now, 5)) {
        await Promise.all(
          due.map(async ({ unitId, ledger }) => {
            for (const { lease } of await ledger.takeDue(now, 2)) {
              taken.push(`${unitId} ${lease}`)
              await ledger.settleRevocation(revoked(lease, { vault: "revoked" }, now))
            }
          }),
        )
      }
    }
    await Promise.all(both().map(sweep))
    expect(await other.overdue(now)).toEqual({ leases: 0, since: null })
    expect(taken.sort()).toEqual(units.flatMap((unit) => ["a", "b", "c"].map((lease) => `${unit} ${lease}`)).sort())
    for (const unit of units) expect(await verify(unit)).toHaveLength(12)
  })

  test("do not take the same due lease, although both ask its ledger", async () => {
    await ledgerOf(one).admit(admission("a"))
    await ledgerOf(one).settle(minted("a", revocable()))
    const taken = await Promise.all(both().map((store) => ledgerOf(store).takeDue(NOW + 2 * HOUR, 10)))
    expect(taken.flat()).toHaveLength(1)
  })

  test("take a value that the database cannot store from its own call only", async () => {
    const call = (lease: string) => ledgerOf(one).admit(admission(lease))
    const outcomes = await Promise.allSettled([call("a"), call("nul \0"), call("b")])
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
    expect(await verify()).toEqual(["exchange.intended", "exchange.intended"])
  })

  test("see each other's keys, marks and documents", async () => {
    expect(await one.keyRing.replace(0, [])).toBe(true)
    expect(await other.keyRing.replace(0, [])).toBe(false)
    await one.marks.write("a", "1")
    expect(await other.marks.read("a")).toBe("1")
    await one.documents.replace("a", 0, "1")
    expect(await other.documents.replace("a", 0, "2")).toBe(false)
    expect(await other.documents.read("a")).toEqual({ version: 1, text: "1" })
  })
})

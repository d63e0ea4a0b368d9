import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test"
import { beforeEach, describe, expect, test, vi } from "vitest"
import { createCloudflareLedgers } from "../../broker/adapters/cloudflare/ledgers.ts"
import type { LedgerKey } from "../../broker/adapters/ledger/rows.ts"
import { SCHEMA_VERSION } from "../../broker/adapters/sqlite/schema.ts"
import type { Ledger } from "../../broker/ports/ledger.ts"
import {
  admission,
  denial,
  expiring,
  HOUR,
  MINUTE,
  minted,
  NOW,
  opening,
  outliving,
  record,
  revocable,
  revocation,
  revoked,
} from "../contract/ledger-samples.ts"
import { inside, objects, stubOf } from "./objects.ts"

const ISSUER = "https://issuer.example"

/** Admitted with more time for its outcome than anything else here takes. */
const unhurried = (lease: string) => ({
  ...admission(lease),
  lease: { ...opening(lease), settleBy: NOW + 2 * HOUR },
})

describe("the alarm of a ledger's object", () => {
  let repositories = 0
  let key: LedgerKey
  let stub: DurableObjectStub
  let ledger: Ledger

  beforeEach(() => {
    repositories += 1
    key = { issuerUrl: ISSUER, unitId: `alarm ${repositories}` }
    stub = stubOf(key.issuerUrl, key.unitId)
    ledger = createCloudflareLedgers(objects.LEDGER).of(key.issuerUrl, key.unitId)
  })

  const alarm = () => inside(stub, (_object, state) => state.storage.getAlarm())

  test("is not set where nothing is due", async () => {
    await ledger.auditTrail(0, 10)
    expect(await alarm()).toBe(null)
  })

  test("is set, with the admission itself, to when the token can be forgotten or the lease is due, whichever is first", async () => {
    await ledger.admit({
      ...admission("a"),
      lease: { ...opening("a"), settleBy: NOW + 30 * MINUTE },
    })
    expect(await alarm()).toBe(NOW + 30 * MINUTE)
    await ledger.settle(minted("a", expiring("aws", { expiresAt: NOW + 20 * MINUTE })))
    expect(await alarm()).toBe(NOW + 20 * MINUTE)
  })

  test("is set to when the first granted time is over, and then to the next", async () => {
    await ledger.admit(unhurried("a"))
    await ledger.settle(minted("a", outliving("one", 15), outliving("two", 30)))
    expect(await alarm()).toBe(NOW + 15 * MINUTE)
    const now = NOW + 15 * MINUTE
    await inside(stub, async (object) => {
      object.onSweep = async (swept) => {
        await swept.takeDue(now, 10)
        await swept.settleRevocation(revoked("a", { one: "revoked" }, now))
      }
      await object.alarm()
      // What had been due is found to be done by the next visit.
      object.onSweep = async (swept) => void (await swept.takeDue(now, 10))
      await object.alarm()
    })
    expect(await alarm()).toBe(NOW + 30 * MINUTE)
  })

  test("is set to when what can be revoked expires, and not to when the rest does", async () => {
    await ledger.admit(unhurried("a"))
    await ledger.settle(
      minted("a", revocable("vault", { expiresAt: NOW + 30 * MINUTE }), expiring("aws", { expiresAt: NOW + MINUTE })),
    )
    expect(await alarm()).toBe(NOW + 30 * MINUTE)
  })

  test("is set for a denial too, whose token must be forgotten one day", async () => {
    await ledger.admit(denial("token"))
    expect(await alarm()).toBe(NOW + 10 * MINUTE + HOUR)
  })

  test("is set to a revocation's next attempt", async () => {
    await ledger.admit(admission("a"))
    await ledger.settle(minted("a", revocable()))
    await ledger.beginRevocation(revocation("a", { now: NOW }))
    await ledger.settleRevocation(revoked("a", { vault: "failed" }, NOW))
    expect(await alarm()).toBe(NOW + MINUTE)
  })

  test("is set again after the object was evicted", async () => {
    await ledger.admit(unhurried("a"))
    await evictDurableObject(stub)
    await inside(stub, (_object, state) => state.storage.deleteAlarm())
    await ledger.admit(denial("token"))
    expect(await alarm()).toBe(NOW + 10 * MINUTE + HOUR)
  })

  test("sweeps the ledger under its own name, and is set to what is due next", async () => {
    await ledger.admit(admission("a"))
    await ledger.settle(minted("a", expiring()))
    const names = await inside(stub, async (object) => {
      const seen: LedgerKey[] = []
      object.onSweep = async (swept, name) => {
        seen.push(name)
        await swept.takeDue(NOW + 2 * HOUR, 10)
      }
      await object.alarm()
      return seen
    })
    expect(names).toEqual([key])
    expect((await ledger.auditTrail(0, 10)).at(-1)?.record.event).toBe("lease.closed")
    // The lease is closed and the token dead and forgotten: what remains is to forget the lease.
    expect(await alarm()).toBeGreaterThan(NOW + 35 * 24 * HOUR)
  })

  /** Admits a lease that was due an hour ago, and fires the alarm with a sweep that answers so. */
  const fireWhileDue = (written: boolean) =>
    inside(stub, async (object, state) => {
      await object.admit(key, { ...admission("a"), lease: { ...opening("a"), settleBy: Date.now() - HOUR } })
      await state.storage.deleteAlarm()
      object.onSweep = async () => written
      const before = Date.now()
      await object.alarm()
      return ((await state.storage.getAlarm()) ?? Number.NaN) - before
    })

  test("is set to go on at once after a sweep that left due leases", async () => {
    expect(await fireWhileDue(true)).toBeLessThan(500)
  })

  test("waits a second after a sweep that could write nothing", async () => {
    expect(await fireWhileDue(false)).toBeGreaterThanOrEqual(1000)
  })

  test("is set again, later, when a sweep fails", async () => {
    const past = { ...opening("a"), settleBy: Date.now() - HOUR }
    const before = Date.now()
    await inside(stub, async (object, state) => {
      await object.admit(key, { ...admission("a"), lease: past })
      await state.storage.deleteAlarm()
      object.onSweep = () => Promise.reject(new Error("the provider is down"))
      await object.alarm()
    })
    expect(await alarm()).toBeGreaterThanOrEqual(before + MINUTE)
    // What stays due must not make every further call ring the alarm at once.
    await ledger.admit(denial("another-token"))
    expect(await alarm()).toBeGreaterThanOrEqual(before + MINUTE)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
  })

  test("tells the directory of a last record again, later each time, until it was heard", async () => {
    const told: number[] = []
    let isLost = true
    const quiet = () => new Promise((resolve) => setTimeout(resolve, 20))
    vi.useFakeTimers({ toFake: ["Date"] })
    try {
      await inside(stub, async (object) => {
        object.onTell = async ([head]) => {
          told.push(head?.seq ?? 0)
          if (isLost) throw new Error("the directory cannot be opened")
        }
      })
      // Nothing of it is due: no other alarm would come.
      await ledger.append(record("stop.ordered", null, Date.now() - NOW))
      await quiet()
      const pauses: number[] = []
      for (let attempt = 0; attempt < 4; attempt += 1) {
        const at = (await alarm()) ?? 0
        pauses.push(at - Date.now())
        if (attempt === 3) isLost = false
        vi.setSystemTime(at)
        await inside(stub, (object) => object.alarm())
        await quiet()
      }
      expect(pauses).toEqual([5000, 10_000, 20_000, 40_000])
      expect(told).toEqual([1, 1, 1, 1, 1])
      await inside(stub, (object) => object.alarm())
      expect([told.length, await alarm()]).toEqual([5, null])
    } finally {
      vi.useRealTimers()
    }
  })

  describe("when it fails", () => {
    const due = { ...opening("a"), settleBy: Date.now() - HOUR, endsBy: Date.now() - HOUR }
    const sql = (text: string) => inside(stub, async (_object, state) => void state.storage.sql.exec(text))
    /** Fires the alarm, and returns which ledgers were swept. */
    const fire = () =>
      inside(stub, async (object, state) => {
        const swept: LedgerKey[] = []
        object.onSweep = async (_ledger, name) => void swept.push(name)
        await state.storage.deleteAlarm()
        await object.alarm()
        return swept
      })

    test.each([
      ["its schema is newer than the code", "UPDATE schema_version SET version = 99, readable_from = 99"],
      ["its version cannot be read", "ALTER TABLE schema_version RENAME COLUMN version TO lost"],
      ["its row cannot be read", "ALTER TABLE ledgers RENAME TO hidden"],
    ])("because %s, it is set anew, each time, and the lease ends when the fault is over", async (_name, fault) => {
      await ledger.admit({ ...admission("a"), lease: due })
      await sql(fault)
      for (let attempt = 0; attempt < 8; attempt++) {
        await evictDurableObject(stub)
        const before = Date.now()
        expect(await fire()).toEqual([])
        expect(await alarm()).toBeGreaterThanOrEqual(before + MINUTE)
      }
      await sql(
        fault.includes("hidden")
          ? "ALTER TABLE hidden RENAME TO ledgers"
          : fault.includes("lost")
            ? "ALTER TABLE schema_version RENAME COLUMN lost TO version"
            : `UPDATE schema_version SET version = ${SCHEMA_VERSION}`,
      )
      await evictDurableObject(stub)
      expect(await fire()).toEqual([key])
    })

    test("because it cannot be set, the runtime is told, which fires it again", async () => {
      await ledger.admit({ ...admission("a"), lease: due })
      await inside(stub, async (object, state) => {
        const { storage } = state
        const real = storage.setAlarm
        storage.setAlarm = () => Promise.reject(new Error("the storage is down"))
        await expect(object.alarm()).rejects.toThrow("the storage is down")
        storage.setAlarm = real
        await state.storage.deleteAlarm()
      })
      // Any other call sets it too.
      await ledger.admit(denial("another-token"))
      expect(await alarm()).not.toBe(null)
    })
  })
})

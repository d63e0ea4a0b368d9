import { describe, expect, test } from "vitest"
import { createCloudflareKeyRing, createCloudflareLedgers } from "../../broker/adapters/cloudflare/ledgers.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { admission, denial, minted, NOW } from "../contract/ledger-samples.ts"
import { exportTrail } from "../support/export-trail.ts"
import { verifyChain } from "../support/verify-chain.ts"
import { inside, objects, stubOf } from "./objects.ts"

const ISSUER = "https://issuer.example"

describe("a call to a ledger's object", () => {
  test("brings the object's errors back as what they were", async () => {
    const ledger = createCloudflareLedgers(objects.LEDGER).of(ISSUER, "errors")
    const error = await ledger.settle(minted("none")).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(BrokerError)
    expect(error).toMatchObject({ code: "internal", detail: "the ledger has no such lease" })
  })

  test("says that the ledger is unavailable when its storage fails, and no more", async () => {
    const ledger = createCloudflareLedgers(objects.LEDGER).of(ISSUER, "broken")
    await ledger.admit(denial("one"))
    await inside(stubOf(ISSUER, "broken"), async (_object, state) => {
      state.storage.sql.exec("DROP TABLE audit")
    })
    const error = await ledger.admit(denial("two")).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: "ledger_unavailable", retryAfterSeconds: 5 })
    expect(String(error)).not.toMatch(/audit|table|SQL/i)
  })

  test.each(["INSERT INTO audit", "INSERT INTO leases", "UPDATE ledgers"])(
    "leaves nothing of a call that failed in the middle (%s): the chain goes on from what is stored",
    async (statement) => {
      const ledger = createCloudflareLedgers(objects.LEDGER).of(ISSUER, statement)
      await ledger.admit(admission("one"))
      await inside(stubOf(ISSUER, statement), async (object, state) => {
        const { sql } = state.storage
        const real = sql.exec.bind(sql)
        sql.exec = (text: string, ...values: unknown[]) => {
          if (text.startsWith(statement)) throw new Error("SQLITE_FULL")
          return real(text, ...values)
        }
        const key = { issuerUrl: ISSUER, unitId: statement }
        expect(await object.admit(key, admission("two"))).toMatchObject({ ok: false, code: "ledger_unavailable" })
        sql.exec = real
      })
      expect(await ledger.admit(admission("two"))).toEqual({ outcome: "admitted" })
      const records = await ledger.auditTrail(0, 10)
      expect(records.map(({ record }) => record.seq)).toEqual([1, 2])
      const trail = exportTrail({ issuer: ISSUER, unit_id: statement }, records)
      expect(verifyChain([new TextEncoder().encode(trail)])).toMatchObject({ ok: true })
      expect((await ledger.standing(NOW)).openLeases).toBe(2)
    },
  )

  test.each(["admit", "read"])(
    "says that the ledger is unavailable when the object cannot be reached: %s",
    async (method) => {
      const unreachable = {
        getByName: () => ({ [method]: () => Promise.reject(new Error("Network connection lost.")) }),
      }
      const call =
        method === "admit"
          ? createCloudflareLedgers(unreachable as never)
              .of(ISSUER, "1")
              .admit(denial("one"))
          : createCloudflareKeyRing(unreachable as never).read()
      await expect(call).rejects.toMatchObject({ code: "ledger_unavailable" })
    },
  )
})

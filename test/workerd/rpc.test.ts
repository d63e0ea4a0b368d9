import { describe, expect, test } from "vitest"
import { createCloudflareKeyRing, createCloudflareLedgers } from "../../broker/adapters/cloudflare/ledgers.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { denial, minted } from "../contract/ledger-samples.ts"
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

import { describe, expect, it } from "vitest"
import * as z from "zod"
import { createKeptValues } from "../../../broker/adapters/memory/kept-values.ts"
import { fail, ok } from "../../../broker/core/result.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { storeProvider, storeSettings } from "../../../broker/providers/store.ts"
import { clockOf } from "../../support/clock.ts"
import { NOW } from "../exchange/world.ts"
import { job } from "../job.ts"
import { mintingFrom, revealed } from "./minting.ts"

const asked: string[][] = []
const shelf: Record<string, string | Uint8Array> = {}
const store = (asks: "job" | "connection") =>
  storeProvider({
    name: "shelf",
    summary: "secrets from a shelf",
    title: "The shelf",
    connection: z.strictObject({ ...storeSettings }),
    parse: (text) => (text.includes("..") ? fail("goes up") : ok({ shelf: text })),
    asks,
    async read(wanted) {
      asked.push(wanted.map(({ place }) => place.shelf))
      return new Map(
        wanted.map(({ locator, place }) => {
          const value = shelf[place.shelf] ?? ""
          return [locator, { value: typeof value === "string" ? new Secret(value) : new Secret(value) }]
        }),
      )
    },
  })

async function setUp(asks: "job" | "connection", cache?: string) {
  asked.length = 0
  const { mint, pass } = await mintingFrom(store(asks), cache)
  return { mint: (read: unknown, identity = job()) => mint({ read }, identity), pass }
}

describe("a store", () => {
  it("is asked for each locator once, and what it gives does not end with the lease", async () => {
    Object.assign(shelf, { a: "one", b: "two" })
    const { mint } = await setUp("job")
    const minted = await mint({ A: "a", B: "b", A_FILE: { from: "a", as: "file" } })
    expect(asked).toEqual([["a", "b"]])
    expect(revealed(minted)).toEqual({ A: "one", B: "two", A_FILE: "one" })
    expect(minted).toMatchObject({ expiresAt: null, revocation: "expires-only" })
    expect(minted).not.toHaveProperty("cache")
  })

  it("gives a value as public where the policy says so, from the cache as well, and as secret beside it", async () => {
    Object.assign(shelf, { port: "8080" })
    const { mint } = await setUp("job", "60s")
    for (const cache of ["miss", "hit"]) {
      const file = { from: "port", as: "file", public: true }
      const { values, ...minted } = await mint({ PORT: { from: "port", public: true }, FILE: file, SAME: "port" })
      expect([values["PORT"]?.value, values["FILE"]?.value, minted.cache]).toEqual(["8080", "8080", cache])
      expect(values["SAME"]?.value).toBeInstanceOf(Secret)
    }
  })

  it("is asked again each time where its connection keeps nothing", async () => {
    shelf["a"] = "one"
    const { mint } = await setUp("connection")
    await mint({ A: "a" })
    shelf["a"] = "rotated"
    expect(revealed(await mint({ A: "a" }))).toEqual({ A: "rotated" })
  })

  it("is not asked for what its connection keeps, until that time is over, and the credential says which", async () => {
    Object.assign(shelf, { a: "one", b: Uint8Array.of(255, 0) })
    const { mint, pass } = await setUp("connection", "60s")
    const file = { from: "b", as: "file" }
    expect((await mint({ A: "a", B: file })).cache).toBe("miss")
    shelf["a"] = "rotated"
    pass(59)
    const again = await mint({ A: "a", B: file })
    expect([revealed(again), again.cache, asked.length]).toEqual([{ A: "one", B: "/wA=" }, "hit", 1])
    expect((await mint({ A: "a", C: "c", D: { from: "c", allow_empty: true } }).catch(() => null)) ?? "refused").toBe(
      "refused",
    )
    shelf["c"] = "three"
    expect((await mint({ A: "a", C: "c" })).cache).toBe("partly")
    pass(1)
    const late = await mint({ A: "a" })
    expect([revealed(late), late.cache]).toEqual([{ A: "rotated" }, "miss"])
  })

  it("that looks at the job is asked for every other job, whatever is kept", async () => {
    shelf["a"] = "one"
    const other = job({ claims: { ref: "refs/heads/other" } })
    for (const [asks, expected] of [
      ["job", ["miss", "miss", "hit"]],
      ["connection", ["miss", "hit", "hit"]],
    ] as const) {
      const { mint } = await setUp(asks, "60s")
      const uses = [await mint({ A: "a" }), await mint({ A: "a" }, other), await mint({ A: "a" })]
      expect(uses.map(({ cache }) => cache)).toEqual(expected)
    }
  })

  it("keeps nothing for longer than ten minutes, whatever a connection says", () => {
    expect(store("job").connection.safeParse({ cache: "11m" }).success).toBe(false)
    expect(store("job").connection.safeParse({ cache: "10m" }).success).toBe(true)
  })
})

describe("a kept value", () => {
  it("stands in memory sealed, and opens in its own place only", async () => {
    const kept = createKeptValues(clockOf(() => NOW))
    await kept.keep("place", new Secret("canary"), 60)
    expect((await kept.get("place"))?.reveal()).toBe("canary")
    expect(await kept.get("another")).toBeUndefined()
  })
})

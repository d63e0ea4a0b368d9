import { expect, it } from "vitest"
import { mintAll } from "../../../broker/exchange/mint.ts"
import type { Minted, Provider } from "../../../broker/providers/provider.ts"
import { job } from "../job.ts"
import { world } from "./world.ts"

it("asks all providers side by side: each of ten waits until all ten were asked", async () => {
  const { broker } = await world({ grants: {} })
  let asked = 0
  let release = () => {}
  const all = new Promise<void>((resolve) => {
    release = resolve
  })
  const waiting: Provider = {
    ...(broker.providers.get("staged") as Provider),
    async mint(): Promise<Minted> {
      asked += 1
      if (asked === 10) release()
      await all
      return { values: {}, expiresAt: null, revocation: "expires-only" }
    },
  }
  const connection = { name: "staged", provider: "staged", settings: {}, requireBoundToken: false }
  const grants = Array.from({ length: 10 }, (_, index) => ({
    grant: { name: `grant-${index}`, file: "p", line: 1, connection, fields: {}, ttlSeconds: 60, minTtlSeconds: 1 },
    ttlSeconds: 60,
  }))
  const outcome = await mintAll(grants, job(), "lease", async () => {}, {
    ...broker,
    providers: new Map([["staged", waiting]]),
  })
  expect(outcome.failures).toEqual([])
  expect(outcome.minted.map(({ granted }) => granted.grant.name)).toEqual(grants.map(({ grant }) => grant.name))
})

import { expect, it } from "vitest"
import { CASES } from "../../broker/providers/cases.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { providerContract } from "../contract/providers.suite.ts"

it("has recorded stories for every provider", () => {
  expect([...CASES.keys()].sort()).toEqual([...PROVIDERS.keys()].sort())
})

for (const [name, provider] of PROVIDERS) providerContract(provider, CASES.get(name) ?? [])

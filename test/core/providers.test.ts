import { expect, it } from "vitest"
import { cases as aws } from "../../broker/providers/aws/cases.ts"
import type { ProviderCase } from "../../broker/providers/case.ts"
import { cases as identityToken } from "../../broker/providers/identity-token/cases.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { providerContract } from "../contract/providers.suite.ts"

const CASES: Readonly<Record<string, readonly ProviderCase[]>> = { aws, "identity-token": identityToken }

it("has recorded stories for every provider", () => {
  expect(Object.keys(CASES).sort()).toEqual([...PROVIDERS.keys()].sort())
})

for (const [name, provider] of PROVIDERS) providerContract(provider, CASES[name] ?? [])

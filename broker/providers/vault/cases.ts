import type { ProviderCase } from "../case.ts"
import { dynamicCases } from "./cases-dynamic.ts"
import { leaselessCases } from "./cases-leaseless.ts"
import { loginCases } from "./cases-login.ts"
import { readCases } from "./cases-read.ts"
import { revokeCases } from "./cases-revoke.ts"
import { tokenCases } from "./cases-token.ts"
import { valueCases } from "./cases-values.ts"
import { wholeCases } from "./cases-whole.ts"

/** Stories of Vault: logins, secrets that are read, credentials that are minted, tokens. */
export const cases: readonly ProviderCase[] = [
  ...loginCases,
  ...readCases,
  ...wholeCases,
  ...dynamicCases,
  ...valueCases,
  ...revokeCases,
  ...leaselessCases,
  ...tokenCases,
]

import type { ProviderCase } from "./case.ts"

// What the recorded stories of every store have in common: of no bundle.

/** Asks by this connection for locators, in the variables VALUE_1, VALUE_2 and so on. */
export const askingBy =
  (way: Pick<ProviderCase, "connection" | "secrets">) =>
  (...locators: readonly string[]) => ({
    ...way,
    grant: { read: Object.fromEntries(locators.map((locator, at) => [`VALUE_${at + 1}`, locator])) },
    ttlSeconds: 900,
  })

/** What comes of it: these texts, all of them secret, in the same variables. */
export const minted = (...texts: readonly string[]) => ({
  values: Object.fromEntries(
    texts.map((value, at) => [`VALUE_${at + 1}`, { secret: true, env: `VALUE_${at + 1}`, value }]),
  ),
  revocation: "expires-only" as const,
  expiresAt: null,
})

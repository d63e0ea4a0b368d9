import type { KeyCache } from "../wire/keys.ts"

/** How long those who verify the broker's tokens go on with a key set, by provider. The sources, and what was only observed, are in `docs/keys.md`. */
export const KEY_CACHES: ReadonlyMap<string, KeyCache> = new Map([
  ["aws", "none"],
  ["aws-parameter-store", "none"],
  ["aws-secrets-manager", "none"],
  ["azure", "untold"],
  ["azure-key-vault", "untold"],
  ["conjur", "until-unknown"],
  ["doppler", "untold"],
  ["google", "minutes"],
  ["google-secret-manager", "minutes"],
  ["identity-token", "untold"],
  ["infisical", "none"],
  ["vault", "until-unknown"],
])

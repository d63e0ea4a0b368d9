/**
 * How long those who verify the broker's tokens go on with a key set that they have read.
 *
 * - `none`: they read the keys for each login
 * - `minutes`: they read the keys every few minutes
 * - `until-unknown`: they keep the keys until a token names one that they do not have. So a new key is taken at once, and an
 *   old one until the first token that the new one signs
 * - `untold`: their maker does not say. A rotation counts on a day
 */
export type KeyCache = "none" | "minutes" | "until-unknown" | "untold"

/** By provider. The sources, and what was only observed, are in `docs/keys.md`. */
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

import type { ProviderCase, Refused } from "../case.ts"
import { AGE_KEY, SHOP } from "./recorded.ts"

// The parts that the stories of SOPS share. Tests only: never in a bundle.

export const KEY_FILE = `# created: 2026-11-28T04:00:00Z\n# public key: age1...\n${AGE_KEY}\n`
export const story = {
  connection: { key: "env:SOPS_AGE_KEY" },
  grant: { read: { DB_PASSWORD: "shop.sops.yaml#database/password" } },
  ttlSeconds: 900,
  secrets: { SOPS_AGE_KEY: KEY_FILE },
  files: { "shop.sops.yaml": SHOP },
  replies: [],
}

export const PASSWORD = { DB_PASSWORD: { secret: true, env: "DB_PASSWORD", value: "canary-of-the-password" } }
export const minted = (values: Extract<ProviderCase["expect"], { values: unknown }>["values"]) =>
  ({ values, revocation: "expires-only", expiresAt: null }) as const

/** Part of SHOP put in place of another. */
export function shopWith(part: string | RegExp, other: string): Readonly<Record<string, string>> {
  const text = SHOP.replace(part, other)
  if (text === SHOP) throw new Error("nothing was replaced")
  return { "shop.sops.yaml": text }
}

export const damaged = (what: string): Refused => ({ code: "secret_unusable", detailHolds: what })
export const MAC_WRONG = damaged("its MAC does not match its values")
export const VALUE_DAMAGED = damaged("a value in it cannot be decrypted at its place")

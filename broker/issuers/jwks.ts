import type { ClaimValue } from "../core/identity.ts"
import { type KeySpelling, type PublicKey, readPublicKey } from "../core/public-key.ts"
import { fail, ok, type Result } from "../core/result.ts"
import { type JsonObject, parseStrictJsonObject } from "./strict-json.ts"

/**
 * Parses a JWK set (RFC 7517 section 5) and returns its usable keys.
 *
 * Unusable or unsafe keys are left out, so that an issuer can publish other kinds too: see `readPublicKey`. Two keys with
 * the same `kid` make the whole set unusable, because different readers would choose different keys for a token.
 */
export function parseKeySet(body: Uint8Array, spelling: KeySpelling = {}): Result<readonly PublicKey[], string> {
  const parsed = parseStrictJsonObject(body)
  if (!parsed.ok) return fail(`its key set ${parsed.fault}`)
  const { keys } = parsed.value
  if (!Array.isArray(keys)) return fail("its key set must have a list of keys")

  const kids = new Set<string>()
  const usable: PublicKey[] = []
  for (const key of keys as readonly ClaimValue[]) {
    if (!isObject(key)) return fail("its key set must list only keys")
    const { kid } = key
    if (typeof kid === "string") {
      if (kids.has(kid)) return fail("its key set has two keys with the same kid")
      kids.add(kid)
    }
    const publicKey = readPublicKey(key, spelling)
    if (publicKey.ok) usable.push(publicKey.value)
  }
  return ok(usable)
}

function isObject(value: ClaimValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

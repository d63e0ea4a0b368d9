import { base64url } from "jose"
import type { ClaimValue } from "../core/identity.ts"
import { fail, ok, type Result } from "../core/result.ts"
import { decodeBase64url } from "./base64url.ts"
import { type JsonObject, parseStrictJsonObject } from "./strict-json.ts"

/** An RSA key that may verify signatures. */
export interface PublicKey {
  readonly kid: string
  /** The algorithm that the set names for the key; null when it names none. */
  readonly alg: string | null
  readonly n: string
  readonly e: string
}

/**
 * Parses a JWK set (RFC 7517 section 5) and returns its usable keys.
 *
 * Unusable or unsafe keys are left out, so that an issuer can publish other kinds too: keys that are not RSA, have no
 * `kid`, are for another use, are weak, or contain the private half (then anyone can sign with it). Two keys with the same
 * `kid` make the whole set unusable, because different readers would choose different keys for a token.
 */
export function parseKeySet(body: Uint8Array): Result<readonly PublicKey[], string> {
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
    const publicKey = readKey(key)
    if (publicKey) usable.push(publicKey)
  }
  return ok(usable)
}

const MAX_KID_CHARACTERS = 256
const MIN_MODULUS_BITS = 2048
const MAX_MODULUS_BITS = 4096
const MIN_EXPONENT = 65_537
/** BoringSSL accepts at most 33 bits. Our own limit makes every runtime accept the same keys. */
const MAX_EXPONENT_BYTES = 4
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth"] as const

function readKey(key: JsonObject): PublicKey | null {
  const { kty, kid, use, key_ops: operations, alg } = key
  if (kty !== "RSA" || typeof kid !== "string" || kid === "" || kid.length > MAX_KID_CHARACTERS) return null
  if (use !== undefined && use !== "sig") return null
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return null
  if (alg !== undefined && typeof alg !== "string") return null
  if (PRIVATE_MEMBERS.some((member) => member in key)) return null

  const modulus = unsignedInteger(key["n"])
  const exponent = unsignedInteger(key["e"])
  if (!modulus || !exponent || !isStrongModulus(modulus) || !isSafeExponent(exponent)) return null
  return { kid, alg: alg ?? null, n: base64url.encode(modulus), e: base64url.encode(exponent) }
}

/**
 * Big-endian bytes in their only spelling: strict base64url without leading zeros (RFC 7518 section 2, Base64urlUInt). A key
 * with two spellings has two thumbprints (RFC 7638), and readers differ in which of them they accept.
 */
function unsignedInteger(value: ClaimValue | undefined): Uint8Array | null {
  const bytes = typeof value === "string" ? decodeBase64url(value) : null
  return bytes?.[0] === 0 ? null : bytes
}

function isStrongModulus(modulus: Uint8Array): boolean {
  const bits = modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24)
  return bits >= MIN_MODULUS_BITS && bits <= MAX_MODULUS_BITS && isOdd(modulus)
}

/** With exponent 1, every message is its own signature; exponent 3 has a history of forgeries; an even one is not RSA. */
function isSafeExponent(exponent: Uint8Array): boolean {
  if (exponent.length > MAX_EXPONENT_BYTES || !isOdd(exponent)) return false
  return exponent.reduce((value, byte) => value * 256 + byte, 0) >= MIN_EXPONENT
}

function isOdd(integer: Uint8Array): boolean {
  return (integer.at(-1) ?? 0) % 2 === 1
}

function isObject(value: ClaimValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

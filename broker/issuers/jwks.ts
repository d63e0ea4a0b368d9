import { base64url } from "jose"
import type { ClaimValue } from "../core/identity.ts"
import { fail, ok, type Result } from "../core/result.ts"
import { decodeBase64url } from "./base64url.ts"
import { type JsonObject, parseStrictJsonObject } from "./strict-json.ts"

/** An RSA key fit to verify signatures with. */
export interface PublicKey {
  readonly kid: string
  /** What the set says the key is for; null when it does not say. */
  readonly alg: string | null
  readonly n: string
  readonly e: string
}

/**
 * Parses a JWK set (RFC 7517 section 5) to the keys in it that are fit for use.
 *
 * A key that we cannot use or should not trust is left out, so that an issuer can publish other kinds beside: not RSA,
 * no `kid`, for another use, weak, or carrying its private half (then anyone can sign with it). Two keys of one `kid`
 * make the whole set unusable: which of them a token meant would depend on the reader.
 */
export function parseKeySet(body: Uint8Array): Result<readonly PublicKey[], string> {
  const parsed = parseStrictJsonObject(body)
  if (!parsed.ok) return fail(`its key set ${parsed.fault}`)
  const { keys } = parsed.value
  if (!Array.isArray(keys)) return fail("its key set has no list of keys")

  const kids = new Set<string>()
  const usable: PublicKey[] = []
  for (const key of keys as readonly ClaimValue[]) {
    if (!isObject(key)) return fail("its key set lists something that is not a key")
    const { kid } = key
    if (typeof kid === "string") {
      if (kids.has(kid)) return fail("its key set has two keys of one kid")
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
/** BoringSSL takes no more than 33 bits; the limit is here so that every runtime decides alike. */
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

/** Big-endian bytes without leading zeros, which RFC 7518 section 2 forbids and some issuers send. */
function unsignedInteger(value: ClaimValue | undefined): Uint8Array | null {
  const bytes = typeof value === "string" ? decodeBase64url(value) : null
  const start = bytes?.findIndex((byte) => byte !== 0) ?? -1
  return bytes && start >= 0 ? bytes.subarray(start) : null
}

function isStrongModulus(modulus: Uint8Array): boolean {
  const bits = modulus.length * 8 - (Math.clz32(modulus[0] ?? 0) - 24)
  return bits >= MIN_MODULUS_BITS && bits <= MAX_MODULUS_BITS && isOdd(modulus)
}

/** An exponent of 1 makes every message its own signature, 3 has a history of forgeries, an even one is no RSA. */
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

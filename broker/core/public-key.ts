import * as base64url from "jose/base64url"
import { decodeBase64url } from "./base64url.ts"
import { CURVES, type Curve, ED25519_BYTES, isOnCurve, isSafeEd25519 } from "./curves.ts"
import { fail, ok, type Result } from "./result.ts"

/** Signature algorithms that an issuer may use (RFC 7518 section 3.1, RFC 8037). Never symmetric ones, never `none`. */
export type SignatureAlgorithm =
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA"

interface Named {
  readonly kid: string
  /** The algorithm that the set names for the key; null when it names none. */
  readonly alg: SignatureAlgorithm | null
}

/** The numbers of a key. They have their only spelling, so two equal keys are equal texts. */
export type KeyMaterial =
  | { readonly kty: "RSA"; readonly n: string; readonly e: string }
  | { readonly kty: "EC"; readonly crv: Curve; readonly x: string; readonly y: string }
  | { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly x: string }

/** A key that may verify signatures. */
export type PublicKey = Named & KeyMaterial

export const KEY_TYPES = ["RSA", "EC", "OKP"] as const satisfies readonly PublicKey["kty"][]
export type KeyType = PublicKey["kty"]

/** Why a JWK is not used. */
export interface KeyFault {
  readonly member: string
  /** The end of a sentence that begins with the key: `must have ...`. It quotes nothing of the key. */
  readonly fault: string
}

/** What a family's issuers write otherwise than RFC 7518 says. */
export interface KeySpelling {
  /** True when a modulus may have the zero byte before its highest bit that Java's BigInteger writes. */
  readonly signByte?: boolean
}

export const MAX_KID_CHARACTERS = 256
/** RFC 7518, section 3.3. */
export const MIN_MODULUS_BITS = 2048
const MAX_MODULUS_BITS = 4096
const MIN_EXPONENT = 65_537
/** BoringSSL accepts at most 33 bits. Our own limit makes every runtime accept the same keys. */
const MAX_EXPONENT_BYTES = 4
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]

const RSA_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const
const CURVE_ALGORITHMS = { "P-256": ["ES256"], "P-384": ["ES384"], "P-521": ["ES512"], Ed25519: ["EdDSA"] } as const

/**
 * Reads one JWK (RFC 7517) as a public key for signatures; its numbers strictly, so that a key has one spelling.
 *
 * Refused are keys without `kid`, keys for another use, weak ones, and ones that contain the private half, because then
 * anyone can sign with them. Pure, never throws.
 */
export function readPublicKey(
  key: Readonly<Record<string, unknown>>,
  spelling: KeySpelling = {},
): Result<PublicKey, KeyFault> {
  const { kid, kty, use, key_ops: operations } = key
  if (typeof kid !== "string" || kid === "" || kid.length > MAX_KID_CHARACTERS) {
    return refuse("kid", `must have a kid of 1 to ${MAX_KID_CHARACTERS} characters`)
  }
  const secret = PRIVATE_MEMBERS.find((member) => member in key)
  if (secret !== undefined) {
    return refuse(secret, `contains its private half (${secret}): make a new key, and list only its public half`)
  }
  if (use !== undefined && use !== "sig") return refuse("use", "must be for signatures: use must be sig")
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) {
    return refuse("key_ops", "must be for signatures: key_ops must list verify")
  }
  const read = kty === "RSA" ? readRsa(key, spelling) : kty === "EC" ? readEc(key) : kty === "OKP" ? readOkp(key) : null
  if (read === null) return refuse("kty", "must be of the type RSA, EC or OKP")
  if (!read.ok) return read
  // RFC 9864 gives EdDSA with this curve a name of its own.
  const said = read.value.kty === "OKP" && key["alg"] === "Ed25519" ? "EdDSA" : key["alg"]
  const fitting = fittingAlgorithms(read.value)
  const alg = said === undefined ? null : fitting.find((algorithm) => algorithm === said)
  if (alg === undefined) return refuse("alg", `has an alg that it cannot be for: it must be ${fitting.join(" or ")}`)
  return ok({ kid, alg, ...read.value })
}

/** The algorithms whose signatures a key may verify: a key of one type never verifies an algorithm of another. */
export const algorithmsOf = (key: PublicKey): readonly SignatureAlgorithm[] =>
  key.alg === null ? fittingAlgorithms(key) : [key.alg]

/** The algorithms of a type of key. */
export const fittingAlgorithms = (key: KeyMaterial): readonly SignatureAlgorithm[] =>
  key.kty === "RSA" ? RSA_ALGORITHMS : CURVE_ALGORITHMS[key.crv]

/**
 * The length of the text of a key's signatures in base64url (RFC 8017 section 8, RFC 7518 section 3.4, RFC 8032 section 5.1.6).
 * OpenSSL also takes a signature with PSS that lacks the zeros at its beginning, so that one signature would have two texts.
 */
export function signatureCharacters(key: KeyMaterial): number {
  const bytes =
    key.kty === "RSA"
      ? (decodeBase64url(key.n)?.length ?? 0)
      : 2 * (key.kty === "EC" ? CURVES[key.crv].bytes : ED25519_BYTES)
  return Math.ceil((bytes * 4) / 3)
}

type Material<Type extends KeyType> = Extract<KeyMaterial, { kty: Type }>
type Jwk = Readonly<Record<string, unknown>>

function readRsa(key: Jwk, { signByte = false }: KeySpelling): Result<Material<"RSA">, KeyFault> {
  const modulus = unsignedInteger(key["n"], signByte)
  const exponent = unsignedInteger(key["e"], false)
  if (!modulus) return refuse("n", `must have its modulus n ${INTEGER}`)
  if (!exponent) return refuse("e", `must have its exponent e ${INTEGER}`)
  if (!isStrongModulus(modulus)) {
    return refuse("n", `must have an odd modulus of ${MIN_MODULUS_BITS} to ${MAX_MODULUS_BITS} bits`)
  }
  if (!isSafeExponent(exponent)) {
    return refuse("e", `must have an odd exponent from ${MIN_EXPONENT} to ${MAX_EXPONENT_BYTES * 8} bits`)
  }
  return ok({ kty: "RSA", n: base64url.encode(modulus), e: base64url.encode(exponent) })
}

function readEc({ crv, x, y }: Jwk): Result<Material<"EC">, KeyFault> {
  if (crv !== "P-256" && crv !== "P-384" && crv !== "P-521") {
    return refuse("crv", "must be on the curve P-256, P-384 or P-521")
  }
  const { bytes } = CURVES[crv]
  const [px, py] = [exactly(bytes, x), exactly(bytes, y)]
  if (!px) return refuse("x", `must have an x of ${bytes} bytes in strict base64url`)
  if (!py) return refuse("y", `must have a y of ${bytes} bytes in strict base64url`)
  if (!isOnCurve(crv, px, py)) return refuse("x", `must be a point of the curve ${crv}`)
  return ok({ kty: "EC", crv, x: base64url.encode(px), y: base64url.encode(py) })
}

function readOkp({ crv, x }: Jwk): Result<Material<"OKP">, KeyFault> {
  if (crv !== "Ed25519") return refuse("crv", "must be on the curve Ed25519")
  const point = exactly(ED25519_BYTES, x)
  if (!point) return refuse("x", `must have an x of ${ED25519_BYTES} bytes in strict base64url`)
  if (!isSafeEd25519(point)) return refuse("x", "must not be a point with which anyone can sign")
  return ok({ kty: "OKP", crv, x: base64url.encode(point) })
}

const INTEGER = "in strict base64url, without leading zeros"

const exactly = (bytes: number, value: unknown): Uint8Array | null => {
  const decoded = typeof value === "string" ? decodeBase64url(value) : null
  return decoded?.length === bytes ? decoded : null
}

/**
 * Big-endian bytes in their only spelling: strict base64url without leading zeros (RFC 7518 section 2, Base64urlUInt). A key
 * with two spellings has two thumbprints (RFC 7638), and readers differ in which of them they accept.
 */
function unsignedInteger(value: unknown, signByte: boolean): Uint8Array | null {
  const bytes = typeof value === "string" ? decodeBase64url(value) : null
  if (bytes === null || bytes[0] !== 0) return bytes
  return signByte && (bytes[1] ?? 0) >= 0x80 ? bytes.slice(1) : null
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

const isOdd = (integer: Uint8Array): boolean => (integer.at(-1) ?? 0) % 2 === 1

const refuse = (member: string, fault: string): Result<never, KeyFault> => fail({ member, fault })

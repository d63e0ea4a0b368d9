/** The elliptic curves of ECDSA keys in JWKs (RFC 7518 section 6.2.1.1). */
export type Curve = "P-256" | "P-384" | "P-521"

interface CurveFacts {
  /** The length of a coordinate: RFC 7518 section 6.2.1.2 demands exactly this many bytes. */
  readonly bytes: number
  /** The prime of the field, and the constant of y² = x³ - 3x + b: FIPS 186-5, SP 800-186 section 3.2.1. */
  readonly p: bigint
  readonly b: bigint
}

export const CURVES: Readonly<Record<Curve, CurveFacts>> = {
  "P-256": {
    bytes: 32,
    p: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
    b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
  },
  "P-384": {
    bytes: 48,
    p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
    b: 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aefn,
  },
  "P-521": {
    bytes: 66,
    p: 2n ** 521n - 1n,
    b: 0x51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00n,
  },
}

/**
 * Whether two coordinates are a point of the curve. Runtimes check it when they import a key; here it is checked before, so
 * that all of them refuse the same keys, and a key in a file is refused when the file is read.
 */
export function isOnCurve(curve: Curve, x: Uint8Array, y: Uint8Array): boolean {
  const { p, b } = CURVES[curve]
  const [px, py] = [bigEndian(x), bigEndian(y)]
  return px < p && py < p && (py * py - (px * px * px - 3n * px + b)) % p === 0n
}

/** The length of an Ed25519 key in bytes (RFC 8032 section 5.1.5). */
export const ED25519_BYTES = 32

/**
 * Whether 32 bytes are an Ed25519 key that can tell signers apart. Refused are spellings that are not canonical, and the
 * points of small order: anyone can sign with the one that is the neutral element.
 */
export function isSafeEd25519(key: Uint8Array): boolean {
  const y = bigEndian(key.toReversed()) & ((1n << 255n) - 1n)
  return y < ED25519_P && !SMALL_ORDERS.includes(y)
}

const ED25519_P = 2n ** 255n - 19n
/** The y of two of the four points of order 8: the root of dy⁴ + 2y² = 1. The others have its negative. */
const ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n
const SMALL_ORDERS: readonly bigint[] = [0n, 1n, ED25519_P - 1n, ORDER_8, ED25519_P - ORDER_8]

/** An unsigned integer of bytes, the most significant first (RFC 7518 section 2, without base64). */
export const bigEndian = (bytes: Uint8Array): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)

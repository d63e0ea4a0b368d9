import { createHmac, hkdfSync } from "node:crypto"

/**
 * The keys of one step's record. They are derived from the random salt in the record and from the request token of the job,
 * which all steps of the job have and no file holds. So the record alone tells nothing about a value, even about a weak one.
 */
export interface RecordKeys {
  /** AES-256-GCM: only a holder of the request token can read or change the record. */
  readonly seal: Buffer
  /** HMAC-SHA256: the record has no value. Who opens it can only test guesses. */
  readonly mac: Buffer
  /** Of the rolling hash: a 32-bit number that is 5 modulo 8, so that its powers do not repeat early. */
  readonly multiplier: number
}

export const SALT_BYTES = 32
/** Of a fingerprint. 128 bits: a file of any size contains no second text with the same one. */
const MAC_BYTES = 16
/** Of a longer pattern, only this beginning is looked for. So a search never holds back more than this. */
export const MAX_PATTERN_BYTES = 1024
/** Shorter patterns are not looked for: they are found in files that have nothing to do with the value. */
export const MIN_PATTERN_BYTES = 8

/** HKDF with SHA-256 (RFC 5869). `requestToken` is `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, the same in each step of a job. */
export function deriveKeys(requestToken: string, salt: Uint8Array): RecordKeys {
  const bytes = Buffer.from(hkdfSync("sha256", requestToken, salt, PURPOSE, 68))
  const multiplier = ((bytes.readUInt32LE(64) & ~7) | 5) >>> 0
  return { seal: bytes.subarray(0, 32), mac: bytes.subarray(32, 64), multiplier }
}

const PURPOSE = "daypass issued values, version 1"

/** The fingerprint of a pattern, in base64url. */
export function patternMac({ mac }: RecordKeys, bytes: Uint8Array): string {
  return shortened(mac, "pattern\0", bytes)
}

/** The fingerprint of a whole value. It differs from that of the same bytes as a pattern. */
export function valueMac({ mac }: RecordKeys, value: string): string {
  return shortened(mac, "value\0", value)
}

const shortened = (key: Buffer, kind: string, of: Uint8Array | string) =>
  createHmac("sha256", key).update(kind).update(of).digest().toString("base64url", 0, MAC_BYTES)

/** How many of a pattern's first bytes the rolling hash covers. Two sizes, so that a search needs at most two passes. */
export const windowOf = (length: number): number => (length >= LONG_WINDOW ? LONG_WINDOW : MIN_PATTERN_BYTES)

const LONG_WINDOW = 16

/** The rolling hash of `window` bytes from `start`: their polynomial in the multiplier, modulo 2^32. */
export function windowHash(bytes: Uint8Array, start: number, window: number, multiplier: number): number {
  let hash = 0
  for (let at = start; at < start + window; at++) hash = (Math.imul(hash, multiplier) + (bytes[at] as number)) | 0
  return hash
}

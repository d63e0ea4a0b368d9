import { hmacSha256, type Mac } from "./hmac.ts"

/**
 * The keys of one step's record. They are derived from the random salt in the record and from the request token of the job,
 * which all steps of the job have and no file holds. So the record alone tells nothing about a value, even about a weak one.
 */
export interface RecordKeys {
  /** AES-256-GCM: only a holder of the request token can read or change the record. */
  readonly seal: Buffer
  /** HMAC-SHA256: the record has no value. Who opens it can only test guesses. */
  readonly mac: Mac
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
  const next = hmacSha256(hmacSha256(salt)(Buffer.from(requestToken, "utf8")))
  const block = (before: Uint8Array, count: number) => next(Buffer.concat([before, PURPOSE, Buffer.of(count)]))
  const seal = block(Buffer.alloc(0), 1)
  const mac = block(seal, 2)
  const multiplier = ((block(mac, 3).readUInt32LE(0) & ~7) | 5) >>> 0
  return { seal, mac: hmacSha256(mac), multiplier }
}

const PURPOSE = Buffer.from("daypass issued values, version 1", "utf8")

/** The fingerprint of a pattern, in base64url. */
export function patternMac({ mac }: RecordKeys, bytes: Uint8Array): string {
  return shortened(mac(Buffer.concat([OF_PATTERN, bytes])))
}

/** The fingerprint of a whole value. It differs from that of the same bytes as a pattern. */
export function valueMac({ mac }: RecordKeys, value: string): string {
  return shortened(mac(Buffer.from(`value\0${value}`, "utf8")))
}

const OF_PATTERN = Buffer.from("pattern\0", "utf8")

const shortened = (mac: Buffer) => mac.toString("base64url", 0, MAC_BYTES)

/** How many of a pattern's first bytes the rolling hash covers. Two sizes, so that a search needs at most two passes. */
export const windowOf = (length: number): number => (length >= LONG_WINDOW ? LONG_WINDOW : MIN_PATTERN_BYTES)

const LONG_WINDOW = 16

/** The rolling hash of `window` bytes from `start`: their polynomial in the multiplier, modulo 2^32. */
export function windowHash(bytes: Uint8Array, start: number, window: number, multiplier: number): number {
  let hash = 0
  for (let at = start; at < start + window; at++) hash = (Math.imul(hash, multiplier) + (bytes[at] as number)) | 0
  return hash
}

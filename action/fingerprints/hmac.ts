import * as crypto from "node:crypto"

/** HMAC-SHA256 with one key: 32 bytes. */
export type Mac = (bytes: Uint8Array) => Buffer

const BLOCK_BYTES = 64

/**
 * HMAC-SHA256 (RFC 2104) with a key of at most 64 bytes.
 *
 * It is made of the one-shot digest, which the start has used before. The first `createHmac` of a process takes half a
 * millisecond, `hkdfSync` as much, and each later one twice the time of this.
 */
export function hmacSha256(key: Uint8Array): Mac {
  if (key.length > BLOCK_BYTES) throw new RangeError("unreachable: a longer key would have to be hashed first")
  const pad = (byte: number) => Buffer.alloc(BLOCK_BYTES, byte).map((each, at) => each ^ (key[at] ?? 0)) as Buffer
  const [inner, outer] = [pad(0x36), pad(0x5c)]
  return (bytes) => digest(outer, digest(inner, bytes))
}

function digest(pad: Buffer, bytes: Uint8Array): Buffer {
  const text = Buffer.concat([pad, bytes])
  // Node 20.0, with which the command line works too, has no one-shot digest.
  const { hash } = crypto as { hash?: typeof crypto.hash }
  return hash === undefined ? crypto.createHash("sha256").update(text).digest() : hash("sha256", text, "buffer")
}

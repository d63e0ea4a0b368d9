/** Castagnoli's polynomial with reversed bits (RFC 3720 section 12.1). */
const POLYNOMIAL = 0x82f63b78

/** The effect of each byte value on the checksum. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/**
 * The CRC32C of some bytes, as an unsigned number. It detects accidental damage, and does not protect against an attacker.
 */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] as number)
  return (value ^ 0xffffffff) >>> 0
}

/** Castagnoli's polynomial, its bits reversed (RFC 3720 section 12.1). */
const POLYNOMIAL = 0x82f63b78

/** What each value of a byte does to the checksum. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/**
 * The CRC32C of some bytes, as an unsigned number. It finds what was damaged by accident, and proves nothing against
 * somebody who damages on purpose.
 */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xffffffff
  for (const byte of bytes) value = (value >>> 8) ^ (TABLE[(value ^ byte) & 0xff] as number)
  return (value ^ 0xffffffff) >>> 0
}

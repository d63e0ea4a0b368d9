import { describe, expect, it } from "vitest"
import { crc32c } from "../../../broker/providers/google/secret-manager/crc32c.ts"

const bytes = (hex: string) => Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (pair) => Number.parseInt(pair, 16))
const text = (characters: string) => new TextEncoder().encode(characters)
const counting = Array.from({ length: 32 }, (_, at) => at)

describe("CRC32C", () => {
  // RFC 3720 appendix B.4, whose checksums are written there with their lowest byte first.
  it.each<readonly [string, Uint8Array, number]>([
    ["32 bytes of zeroes", new Uint8Array(32), 0x8a9136aa],
    ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["32 bytes that count up", Uint8Array.from(counting), 0x46dd794e],
    ["32 bytes that count down", Uint8Array.from(counting.toReversed()), 0x113fdb5c],
    [
      "an iSCSI read command",
      bytes(
        "01c00000 00000000 00000000 00000000 14000000 00000400 00000014 00000018 28000000 00000000 02000000 00000000",
      ),
      0xd9963a56,
    ],
  ])("of %s is as the standard has it", (_, data, checksum) => {
    expect(crc32c(data)).toBe(checksum)
  })

  it("of no bytes is 0, and of the digits from 1 to 9 the algorithm's usual check", () => {
    expect(crc32c(new Uint8Array())).toBe(0)
    expect(crc32c(text("123456789"))).toBe(0xe3069283)
  })

  it("changes with any bit", () => {
    const data = text("a secret")
    const right = crc32c(data)
    for (let bit = 0; bit < data.length * 8; bit++) {
      const damaged = data.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
      expect(crc32c(damaged)).not.toBe(right)
    }
  })
})

import { createECDH, ECDH } from "node:crypto"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { parseExchange } from "../../../broker/http/request.ts"
import { cryptography } from "../../support/cryptography.ts"

interface Point {
  readonly x: string
  readonly y: string
}

const parse = ({ x, y }: Point) =>
  parseExchange({ grants: ["a"], key: { kty: "EC", crv: "P-256", x, y } }, cryptography)
const refused = async (point: Point) => {
  const fault = await parse(point).catch((error: unknown) => error)
  expect(fault).toMatchObject({ code: "request_malformed" })
  return (fault as Error).message
}

function pointOf(secret: Uint8Array): Point {
  const key = createECDH("prime256v1")
  key.setPrivateKey(secret)
  const point = key.getPublicKey()
  return { x: point.subarray(1, 33).toString("base64url"), y: point.subarray(33).toString("base64url") }
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
const PRIME = BigInt("0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
const spell = (number: bigint) => Buffer.from(number.toString(16).padStart(64, "0"), "hex").toString("base64url")
const numberOf = (text: string) => BigInt(`0x${Buffer.from(text, "base64url").toString("hex")}`)

/** Other texts that a lenient decoder reads as the same bytes. */
function otherSpellings(text: string): readonly string[] {
  const last = ALPHABET.indexOf(text.at(-1) ?? "")
  return [1, 2, 3].map((bits) => text.slice(0, -1) + ALPHABET[last | bits])
}

const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
  // Any number from 1 up to below the group's order.
  bytes[0] = 0x7f
  bytes[31] = (bytes[31] ?? 0) | 1
  return bytes
})

describe("the job's key", () => {
  test("is taken in one spelling only, so that it has one thumbprint", async () => {
    await fc.assert(
      fc.asyncProperty(secrets, async (secret) => {
        const { x, y } = pointOf(secret)
        expect((await parse({ x, y })).key?.thumbprint).toMatch(/^[A-Za-z0-9_-]{43}$/)
        for (const other of otherSpellings(x)) {
          expect(Buffer.from(other, "base64url")).toEqual(Buffer.from(x, "base64url"))
          expect(await refused({ x: other, y })).toContain("stray bits")
        }
        for (const other of otherSpellings(y)) expect(await refused({ x, y: other })).toContain("stray bits")
      }),
      { numRuns: 25 },
    )
  })

  test("has coordinates below the prime: 5 and 5 + p would be one x", async () => {
    // x = 5 is on the curve, and 5 + p still fits into 32 bytes.
    const five = "0000000000000000000000000000000000000000000000000000000000000005"
    const x = Buffer.from(five, "hex").toString("base64url")
    const uncompressed = ecdhPoint(`02${five}`)
    const y = uncompressed.subarray(33).toString("base64url")
    expect((await parse({ x, y })).key).toBeDefined()
    expect(await refused({ x: spell(numberOf(x) + PRIME), y })).toContain("below the prime")
    expect(await refused({ x: spell(PRIME), y })).toContain("below the prime")
    expect(await refused({ x: spell(PRIME - 1n), y })).toContain("is not a point on the curve")
  })

  test.each(["A".repeat(42), "A".repeat(44), `${"A".repeat(42)}=`, `${"A".repeat(42)}/`, ""])(
    "has no coordinate %j",
    async (x) => {
      expect(await refused({ x, y: "A".repeat(43) })).toContain("43 characters")
    },
  )
})

/** The point of a compressed key. */
function ecdhPoint(compressed: string): Buffer {
  return Buffer.from(ECDH.convertKey(compressed, "prime256v1", "hex", "hex", "uncompressed") as string, "hex")
}

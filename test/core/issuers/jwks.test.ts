import { base64url } from "jose"
import { describe, expect, test } from "vitest"
import { parseKeySet } from "../../../broker/issuers/jwks.ts"
import { type Json, utf8 } from "./fixture.ts"

const AQAB = "AQAB"

/** Big-endian bytes of an odd number with exactly that many bits. */
function modulus(bits: number, { leadingZeros = 0, odd = true } = {}): string {
  const bytes = new Uint8Array(Math.ceil(bits / 8)).fill(0xff)
  bytes[0] = 0xff >> (bytes.length * 8 - bits)
  if (!odd) bytes[bytes.length - 1] = 0xfe
  return base64url.encode(Uint8Array.from([...new Uint8Array(leadingZeros), ...bytes]))
}

const exponent = (...bytes: number[]) => base64url.encode(Uint8Array.from(bytes))
const key = (members: Json = {}): Json => ({ kty: "RSA", kid: "k1", n: modulus(2048), e: AQAB, ...members })
const read = (document: unknown) =>
  parseKeySet(utf8(typeof document === "string" ? document : JSON.stringify(document)))
const kidsOf = (...keys: Json[]) => {
  const set = read({ keys })
  return set.ok ? set.value.map(({ kid }) => kid) : set.fault
}

describe("a key is taken", () => {
  test.each([
    ["as GitHub publishes them", { use: "sig", alg: "RS256", x5t: "t", x5c: ["MIIC"] }],
    ["that says nothing of its use", {}],
    ["for verifying among other operations", { key_ops: ["verify", "encrypt"] }],
    ["of 2048 bits", { n: modulus(2048) }],
    ["with a kid of 256 characters", { kid: "k".repeat(256) }],
    ["of 3071 bits, which fill no whole number of bytes", { n: modulus(3071) }],
    ["of 4096 bits", { n: modulus(4096) }],
    ["with the largest exponent of four bytes", { e: exponent(255, 255, 255, 255) }],
  ])("%s", (_, members) => {
    expect(kidsOf(key(members))).toEqual(["kid" in members ? members.kid : "k1"])
  })

  test("with its numbers as the set spells them", () => {
    expect(read({ keys: [key()] })).toEqual({
      ok: true,
      value: [{ kid: "k1", alg: null, n: modulus(2048), e: AQAB }],
    })
  })
})

describe("a key is left out, and the others beside it stay,", () => {
  test.each<readonly [string, Json]>([
    ["of an elliptic curve", { kty: "EC", crv: "P-256", x: "AA", y: "AA" }],
    ["that is symmetric", { kty: "oct", k: "c2VjcmV0" }],
    ["of no kind", { kty: undefined }],
    ["without a kid", { kid: undefined }],
    ["with an empty kid", { kid: "" }],
    ["with a kid that is a number", { kid: 1 }],
    ["with a kid without end", { kid: "k".repeat(257) }],
    ["for encryption", { use: "enc" }],
    ["for a use that is no text", { use: null }],
    ["for signing only", { key_ops: ["sign"] }],
    ["with operations that are no list", { key_ops: "verify" }],
    ["with an alg that is no text", { alg: ["RS256"] }],
    ["of 1024 bits", { n: modulus(1024) }],
    ["of 2047 bits in 256 bytes", { n: modulus(2047) }],
    ["of 1024 bits blown up with zeros", { n: modulus(1024, { leadingZeros: 128 }) }],
    ["of 4097 bits", { n: modulus(4097) }],
    ["of 16384 bits, which take long to compute with", { n: modulus(16_384) }],
    ["with an even modulus", { n: modulus(2048, { odd: false }) }],
    ["with a modulus of zero", { n: base64url.encode(new Uint8Array(256)) }],
    ["without a modulus", { n: undefined }],
    ["with a leading zero byte in its modulus", { n: modulus(2048, { leadingZeros: 1 }) }],
    ["with a leading zero byte in its exponent", { e: exponent(0, 1, 0, 1) }],
    ["with stray bits in its modulus", { n: `${modulus(2048).slice(0, -1)}x` }],
    ["with stray bits in its exponent", { e: "AQABAR" }],
    ["with its modulus in the alphabet of plain base64", { n: modulus(2048).replaceAll("_", "/") }],
    ["with a modulus in padded base64", { n: `${modulus(2048)}==` }],
    ["with a modulus that is a number", { n: 5 }],
    ["with an exponent of one", { e: exponent(1) }],
    ["with an exponent of three", { e: exponent(3) }],
    ["with the odd exponent before 65537", { e: exponent(255, 255) }],
    ["with an even exponent", { e: exponent(1, 0, 2) }],
    ["with an exponent of five bytes", { e: exponent(1, 0, 0, 0, 1) }],
    ["with an exponent of zero", { e: exponent(0) }],
    ["without an exponent", { e: undefined }],
    ...["d", "p", "q", "dp", "dq", "qi", "oth"].map(
      (member) => [`that shows its private ${member}`, { [member]: "AQ" }] satisfies [string, Json],
    ),
  ])("%s", (_, members) => {
    expect(kidsOf(key(members), key({ kid: "k2" }))).toEqual(["k2"])
  })
})

describe("the whole set is refused", () => {
  test.each([
    ["when two keys have one kid", { keys: [key(), key({ n: modulus(3072) })] }, "two keys with the same kid"],
    [
      "when a key that we cannot use has the kid of one that we can",
      { keys: [key(), key({ kty: "EC" })] },
      "two keys with the same kid",
    ],
    ["when it is not JSON", "<html>", "is not a JSON object"],
    ["when a key says one thing twice", '{"keys":[{"kty":"RSA","kty":"RSA"}]}', "same key twice"],
    ["when it has no keys", {}, "must have a list of keys"],
    ["when its keys are no list", { keys: key() }, "must have a list of keys"],
    ["when a key is no object", { keys: ["k1"] }, "must list only keys"],
    ["when a key is a list", { keys: [[]] }, "must list only keys"],
    ["when a key is null", { keys: [null] }, "must list only keys"],
  ])("%s", (_, document, fault) => {
    expect(read(document)).toMatchObject({ ok: false, fault: expect.stringContaining(fault) })
  })
})

test("several keys without a kid are left out together, and are no kid that comes twice", () => {
  expect(kidsOf(key({ kid: undefined }), key({ kid: undefined }), key({ kid: 1 }), key({ kid: 1 }), key())).toEqual([
    "k1",
  ])
})

test("a set without keys is a set: all were withdrawn", () => {
  expect(read({ keys: [] })).toEqual({ ok: true, value: [] })
})

import fc from "fast-check"
import { base64url, exportJWK, generateKeyPair } from "jose"
import { describe, expect, test } from "vitest"
import { readPublicKey } from "../../../broker/core/public-key.ts"
import { parseKeySet } from "../../../broker/issuers/jwks.ts"
import { runs } from "../../support/laws.ts"
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
      value: [{ kid: "k1", alg: null, kty: "RSA", n: modulus(2048), e: AQAB }],
    })
  })
})

describe("a key is left out, and the others beside it stay,", () => {
  test.each<readonly [string, Json]>([
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
    ["for encryption, by its alg", { alg: "RSA-OAEP-256" }],
    ["for an algorithm of another type of key", { alg: "ES256" }],
    ["for a symmetric algorithm", { alg: "HS256" }],
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

describe("a key of another type", () => {
  // RFC 7515 appendices A.3 and A.4, RFC 8037 appendix A.2.
  const P256 = {
    kty: "EC",
    crv: "P-256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
  }
  const P521 = {
    kty: "EC",
    crv: "P-521",
    x: "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
    y: "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
  }
  const ED = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }
  const hex = (text: string) =>
    base64url.encode(Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
  const k1 = (jwk: Json, members: Json = {}): Json => ({ ...jwk, kid: "k1", ...members })

  test.each<readonly [string, Json, Json]>([
    ["on P-256", P256, {}],
    ["on P-521", P521, {}],
    ["on Ed25519", ED, {}],
    ["on P-256, for its algorithm", P256, { alg: "ES256", use: "sig" }],
    ["on Ed25519, for its algorithm", ED, { alg: "EdDSA" }],
  ])("is taken %s", (_, jwk, members) => {
    const { alg = null } = members
    expect(read({ keys: [k1(jwk, members)] })).toEqual({ ok: true, value: [{ ...jwk, kid: "k1", alg }] })
  })

  test("on Ed25519 is taken for EdDSA also when its alg has the name of RFC 9864", () => {
    expect(read({ keys: [k1(ED, { alg: "Ed25519" })] })).toMatchObject({ value: [{ alg: "EdDSA" }] })
  })

  test("on P-384 is taken, whatever point it is", async () => {
    const { publicKey } = await generateKeyPair("ES384", { extractable: true })
    const { kty, crv, x, y } = await exportJWK(publicKey)
    expect(kidsOf(k1({ kty, crv, x, y }))).toEqual(["k1"])
    expect(kidsOf(k1({ kty, crv, x, y: x }))).toEqual([])
  })

  test.each<readonly [string, Json, Json]>([
    ["on a curve that we do not use", P256, { crv: "secp256k1" }],
    ["on no curve", P256, { crv: undefined }],
    ["on another curve than its point", P256, { crv: "P-521" }],
    ["of a point beside the curve", P256, { y: P256.x }],
    ["of the point zero", P256, { x: hex("00".repeat(32)), y: hex("00".repeat(32)) }],
    ["whose x is short of a byte", P256, { x: hex("01".repeat(31)) }],
    ["whose x has a sign byte", P256, { x: hex(`00${"7f".repeat(32)}`) }],
    ["whose x is larger than the field", P256, { x: hex("ff".repeat(32)) }],
    ["whose x is padded", P256, { x: `${P256.x}=` }],
    ["without y", P256, { y: undefined }],
    ["that shows its private half", P256, { d: "AQ" }],
    ["on P-256 for the algorithm of P-384", P256, { alg: "ES384" }],
    ["on P-256 for an algorithm of RSA", P256, { alg: "RS256" }],
    ["on P-256 for key agreement", P256, { alg: "ECDH-ES" }],
    ["on X25519, which signs nothing", ED, { crv: "X25519" }],
    ["on Ed448", ED, { crv: "Ed448" }],
    ["on Ed25519, of 31 bytes", ED, { x: hex("01".repeat(31)) }],
    ["on Ed25519, with its private half", ED, { d: "AQ" }],
    ["on Ed25519, for ES256", ED, { alg: "ES256" }],
    ["on Ed25519, that is the neutral element", ED, { x: hex(`01${"00".repeat(31)}`) }],
    ["on Ed25519, of order 4", ED, { x: hex("00".repeat(32)) }],
    ["on Ed25519, of order 8", ED, { x: hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a") }],
    [
      "on Ed25519, of order 8, the other",
      ED,
      { x: hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05") },
    ],
    ["on Ed25519, that is not canonical", ED, { x: hex(`ee${"ff".repeat(30)}7f`) }],
    ["of RSA, with members of a curve only", P256, { kty: "RSA" }],
  ])("is left out %s", (_, jwk, members) => {
    expect(kidsOf(k1(jwk, members), key({ kid: "k2" }))).toEqual(["k2"])
  })
})

describe("the sign byte of Java's integers", () => {
  const javaKeys = (...keys: Json[]) => {
    const set = parseKeySet(utf8(JSON.stringify({ keys })), { signByte: true })
    return set.ok ? set.value : []
  }

  test("before a modulus is dropped, for families that write it", () => {
    const [usable] = javaKeys(key({ n: modulus(2048, { leadingZeros: 1 }) }))
    expect(usable).toEqual({ kid: "k1", alg: null, kty: "RSA", n: modulus(2048), e: AQAB })
    expect(javaKeys(key())).toEqual([usable])
  })

  test.each<readonly [string, Json]>([
    ["two of them", { n: modulus(2048, { leadingZeros: 2 }) }],
    ["one before a byte that needs none", { n: modulus(3071, { leadingZeros: 1 }) }],
    ["one before a weak modulus", { n: modulus(1024, { leadingZeros: 1 }) }],
    ["one before the exponent", { e: exponent(0, 1, 0, 1) }],
  ])("is not %s", (_, members) => {
    expect(javaKeys(key(members))).toEqual([])
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

test("no key makes it throw, and no fault quotes it", () => {
  const member = fc.oneof(fc.constant("canary"), fc.string(), fc.jsonValue({ maxDepth: 1 }))
  const names = fc.constantFrom("kid", "use", "key_ops", "alg", "crv", "n", "e", "x", "y", "d")
  const jwk = fc.tuple(fc.constantFrom("RSA", "EC", "OKP", "oct"), fc.dictionary(names, member))
  fc.assert(
    fc.property(jwk, ([kty, members]) => {
      const key = readPublicKey({ kid: "k1", ...members, kty }, { signByte: true })
      if (!key.ok) expect(key.fault.fault).not.toContain("canary")
    }),
    { numRuns: runs(1000) },
  )
})

import {
  constants,
  createECDH,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  type SigningOptions,
  sign,
} from "node:crypto"
import fc from "fast-check"
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from "jose"
import { describe, expect, test } from "vitest"
import { openJwe } from "../../action/jwe.ts"
import { nodeCryptography } from "../../broker/adapters/node/cryptography.ts"
import { webCryptography } from "../../broker/adapters/web/cryptography.ts"
import type { KeyMaterial, SignatureAlgorithm } from "../../broker/core/public-key.ts"
import { Secret } from "../../broker/core/secret.ts"
import type { Cryptography } from "../../broker/ports/cryptography.ts"
import type { PublicJwk } from "../../broker/wire/exchange.ts"

const BOTH: readonly (readonly [string, Cryptography])[] = [
  ["WebCrypto", webCryptography],
  ["node:crypto", nodeCryptography],
]
const CROSSED = BOTH.flatMap(([by, maker]) => BOTH.map(([to, reader]) => [by, to, maker, reader] as const))

/** Texts with characters of every length in UTF-8, what JSON escapes, and lone surrogates. */
const text = fc
  .array(fc.oneof(fc.string(), fc.constantFrom("ä", "€", "\u{1f600}", "\u2028", "\0", '"', "\ud800")))
  .map((parts) => parts.join(""))

/** What both say. They must say the same: a token is not good in one runtime only. */
async function agreed<Value>(ask: (cryptography: Cryptography) => Promise<Value>): Promise<Value> {
  const [web, node] = [await ask(webCryptography), await ask(nodeCryptography)]
  expect(node).toEqual(web)
  return node
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const pair = {
  RSA: rsa,
  "P-256": generateKeyPairSync("ec", { namedCurve: "P-256" }),
  "P-384": generateKeyPairSync("ec", { namedCurve: "P-384" }),
  "P-521": generateKeyPairSync("ec", { namedCurve: "P-521" }),
  Ed25519: generateKeyPairSync("ed25519"),
}
type Pair = (typeof pair)[keyof typeof pair]

const jwkOf = ({ publicKey }: { publicKey: KeyObject }) => publicKey.export({ format: "jwk" }) as unknown as KeyMaterial
const pss = (saltLength: number) => ({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
const p1363: SigningOptions = { dsaEncoding: "ieee-p1363" }

/** How an issuer signs, written down apart from the broker's own table. */
const ISSUERS: readonly (readonly [SignatureAlgorithm, Pair, string | null, SigningOptions])[] = [
  ["RS256", pair.RSA, "sha256", {}],
  ["RS384", pair.RSA, "sha384", {}],
  ["RS512", pair.RSA, "sha512", {}],
  ["PS256", pair.RSA, "sha256", pss(32)],
  ["PS384", pair.RSA, "sha384", pss(48)],
  ["PS512", pair.RSA, "sha512", pss(64)],
  ["ES256", pair["P-256"], "sha256", p1363],
  ["ES384", pair["P-384"], "sha384", p1363],
  ["ES512", pair["P-521"], "sha512", p1363],
  ["EdDSA", pair.Ed25519, null, {}],
]
const ALGORITHMS = ISSUERS.map(([alg]) => alg)

const inputOf = (alg: string, payload: object = { sub: "job" }) =>
  [{ alg, kid: "k", typ: "JWT" }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".")
const compact = (input: string, signature: Uint8Array) => `${input}.${Buffer.from(signature).toString("base64url")}`
const signed = (hash: string | null, input: string, key: KeyObject, options: SigningOptions = {}) =>
  sign(hash, Buffer.from(input), { key, ...options })

/** Whether both take a token as signed by the key of `jwk`. Refused means false, and never an error. */
const verifies = (jwk: KeyMaterial, algorithm: SignatureAlgorithm, token: string, alg: string = algorithm) =>
  agreed(async (cryptography) => {
    const key = await cryptography.verifyingKey(jwk, algorithm)
    if (key === null) throw new Error("the test's key must be usable")
    return await key.verifies(token, alg)
  })

describe.each(ISSUERS)("a signature with %s", (alg, keys, hash, options) => {
  const input = inputOf(alg)
  const good = signed(hash, input, keys.privateKey, options)
  const jwk = jwkOf(keys)

  test("is verified, and no other text has it", async () => {
    expect(await verifies(jwk, alg, compact(input, good))).toBe(true)
    expect(await verifies(jwk, alg, compact(inputOf(alg, { sub: "other" }), good))).toBe(false)
  })

  test("is refused with any bit changed", async () => {
    const bit = fc.nat({ max: good.length * 8 - 1 })
    await fc.assert(
      fc.asyncProperty(bit, async (at) => {
        const changed = Buffer.from(good)
        changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7))
        expect(await verifies(jwk, alg, compact(input, changed))).toBe(false)
      }),
      { numRuns: 50 },
    )
  })

  test.each<readonly [string, (bytes: Buffer) => Uint8Array]>([
    ["nothing", () => Buffer.alloc(0)],
    ["one byte", () => Buffer.of(1)],
    ["zeros", (bytes) => Buffer.alloc(bytes.length)],
    ["ones", (bytes) => Buffer.alloc(bytes.length, 0xff)],
    ["one byte less", (bytes) => bytes.subarray(1)],
    ["a zero before it", (bytes) => Buffer.concat([Buffer.of(0), bytes])],
    ["a zero after it", (bytes) => Buffer.concat([bytes, Buffer.of(0)])],
    ["it twice", (bytes) => Buffer.concat([bytes, bytes])],
  ])("is not %s", async (_, change) => {
    expect(await verifies(jwk, alg, compact(input, change(good)))).toBe(false)
  })

  test("is that of its own key and algorithm alone, in fact and in name", async () => {
    for (const [other, otherKeys, otherHash, otherOptions] of ISSUERS) {
      if (other === alg) continue
      const signature = signed(otherHash, input, otherKeys.privateKey, otherOptions)
      expect(await verifies(jwk, alg, compact(input, signature)), `by ${other}`).toBe(false)
      expect(await verifies(jwk, alg, compact(input, good), other), `named ${other}`).toBe(false)
    }
  })

  test("needs a key of its type", async () => {
    for (const [kind, one] of Object.entries(pair)) {
      const usable = await agreed(async (cryptography) => (await cryptography.verifyingKey(jwkOf(one), alg)) !== null)
      expect(usable, kind).toBe(one === keys)
    }
  })
})

describe("a signature", () => {
  test("with ES256 is not DER, which other protocols use", async () => {
    for (const [alg, keys, hash] of ISSUERS.filter(([name]) => name.startsWith("ES"))) {
      const input = inputOf(alg)
      const der = signed(hash, input, keys.privateKey, { dsaEncoding: "der" })
      expect(await verifies(jwkOf(keys), alg, compact(input, der)), alg).toBe(false)
    }
  })

  test("with RSA is a number below the modulus: the sum with it is another text for the same", async () => {
    const [n] = [
      BigInt(
        `0x${Buffer.from(jwkOf(rsa).kty === "RSA" ? String(Reflect.get(jwkOf(rsa), "n")) : "", "base64url").toString("hex")}`,
      ),
    ]
    let tried = 0
    for (let sub = 0; tried === 0; sub++) {
      const input = inputOf("RS256", { sub })
      const sum = BigInt(`0x${signed("sha256", input, rsa.privateKey).toString("hex")}`) + n
      if (sum >= 2n ** 2048n) continue
      tried++
      expect(
        await verifies(jwkOf(rsa), "RS256", compact(input, Buffer.from(sum.toString(16).padStart(512, "0"), "hex"))),
      ).toBe(false)
    }
  })

  test.each(ISSUERS.filter(([, keys]) => keys === rsa))(
    "with %s keeps the zero that it begins with",
    async (...[alg, , hash, options]) => {
      let sub = 0
      const next = () => signed(hash, inputOf(alg, { sub: ++sub }), rsa.privateKey, options)
      let signature = next()
      while (signature[0] !== 0) signature = next()
      const input = inputOf(alg, { sub })
      expect(await verifies(jwkOf(rsa), alg, compact(input, signature))).toBe(true)
      expect(await verifies(jwkOf(rsa), alg, compact(input, signature.subarray(1)))).toBe(false)
    },
  )

  test.each([0, 20, 31, 33])("with PS256 has a salt of 32 bytes, and not %i", async (salt) => {
    const input = inputOf("PS256")
    const signature = signed("sha256", input, rsa.privateKey, pss(salt))
    expect(await verifies(jwkOf(rsa), "PS256", compact(input, signature))).toBe(false)
  })
})

describe("a public key is refused", () => {
  const { x, y } = jwkOf(pair["P-256"]) as PublicJwk
  const REFUSED: readonly (readonly [string, KeyMaterial, SignatureAlgorithm])[] = [
    ["with 1024 bits", jwkOf(generateKeyPairSync("rsa", { modulusLength: 1024 })), "RS256"],
    ["with 1024 bits, for PSS", jwkOf(generateKeyPairSync("rsa", { modulusLength: 1024 })), "PS256"],
    ["off its curve", { kty: "EC", crv: "P-256", x, y: x }, "ES256"],
    ["at zero", { kty: "EC", crv: "P-256", x: "A".repeat(43), y: "A".repeat(43) }, "ES256"],
    ["on another curve than it says", { kty: "EC", crv: "P-384", x, y }, "ES384"],
    ["with a coordinate too short", { kty: "EC", crv: "P-256", x: x.slice(0, 40), y }, "ES256"],
    ["without a coordinate", { kty: "EC", crv: "P-256", x, y: "" }, "ES256"],
    ["with a point too long", { kty: "OKP", crv: "Ed25519", x: `${x}AAAA` }, "EdDSA"],
  ]
  test.each(REFUSED)("%s", async (_, jwk, algorithm) => {
    expect(await agreed((cryptography) => cryptography.verifyingKey(jwk, algorithm))).toBeNull()
    if (jwk.kty !== "EC" || jwk.crv !== "P-256") return
    expect(await agreed((cryptography) => cryptography.recipientKey(jwk as PublicJwk))).toBeNull()
  })
})

const pkcs8 = ({ privateKey }: { privateKey: KeyObject }) => privateKey.export({ format: "der", type: "pkcs8" })

describe("a signing key", () => {
  test.each(CROSSED)("of %s signs what %s verifies", async (_, __, maker, reader) => {
    const key = await maker.signingKey(new Secret(pkcs8(rsa)))
    const verifying = await reader.verifyingKey(jwkOf(rsa), "RS256")
    const claim = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null))
    await fc.assert(
      fc.asyncProperty(fc.dictionary(text, claim), async (claims) => {
        const token = (await key?.sign(claims, "kid")) ?? ""
        const [header = "", payload = ""] = token.split(".").map((part) => Buffer.from(part, "base64url").toString())
        expect(header).toBe('{"alg":"RS256","kid":"kid","typ":"JWT"}')
        expect(payload).toBe(JSON.stringify(claims))
        expect(token).toMatch(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/)
        expect(await verifying?.verifies(token, "RS256")).toBe(true)
      }),
      { numRuns: 50 },
    )
  })

  test.each<readonly [string, Uint8Array]>([
    ["nothing", Buffer.alloc(0)],
    ["noise", randomBytes(1200)],
    ["half of one", pkcs8(rsa).subarray(0, 600)],
    ["a public key", rsa.publicKey.export({ format: "der", type: "spki" })],
    ["a key of an elliptic curve", pkcs8(pair["P-256"])],
    ["a key of Ed25519", pkcs8(pair.Ed25519)],
    ["a key for RSA-PSS alone", pkcs8(generateKeyPairSync("rsa-pss", { modulusLength: 2048 }))],
    ["a key of 1024 bits", pkcs8(generateKeyPairSync("rsa", { modulusLength: 1024 }))],
  ])("is not %s", async (_, bytes) => {
    expect(await agreed((cryptography) => cryptography.signingKey(new Secret(bytes)))).toBeNull()
  })
})

describe("an answer that is encrypted to a job's key", () => {
  const job = createECDH("prime256v1")
  const point = job.generateKeys()
  const jwk: PublicJwk = {
    kty: "EC",
    crv: "P-256",
    x: point.subarray(1, 33).toString("base64url"),
    y: point.subarray(33).toString("base64url"),
  }
  const { kty, crv, x, y } = jwk
  const d = job.getPrivateKey().toString("base64url")
  const josesKey = createPrivateKey({ key: { kty, crv, x, y, d }, format: "jwk" })

  test.each(BOTH)("by %s opens in the action and with jose", async (_, cryptography) => {
    const key = await cryptography.recipientKey(jwk)
    await fc.assert(
      fc.asyncProperty(fc.json(), async (json) => {
        const jwe = (await key?.encrypt(json)) ?? ""
        expect(openJwe(jwe, job)?.toString()).toBe(json)
        expect(Buffer.from((await compactDecrypt(jwe, josesKey)).plaintext).toString()).toBe(json)
      }),
      { numRuns: 50 },
    )
  })

  test.each(BOTH)("by %s has the header that clients know, and a new key each time", async (_, cryptography) => {
    const key = await cryptography.recipientKey(jwk)
    const jwes = await Promise.all(Array.from({ length: 8 }, async () => (await key?.encrypt("{}")) ?? ""))
    const headers = jwes.map((jwe) => decodeProtectedHeader(jwe))
    for (const header of headers) {
      expect(Object.keys(header).sort()).toEqual(["alg", "cty", "enc", "epk"])
      expect(header).toMatchObject({ alg: "ECDH-ES", enc: "A256GCM", cty: "json", epk: { kty: "EC", crv: "P-256" } })
      expect(Object.keys(header.epk ?? {}).sort()).toEqual(["crv", "kty", "x", "y"])
    }
    expect(new Set(headers.map(({ epk }) => JSON.stringify(epk))).size).toBe(8)
    expect(new Set(jwes.map((jwe) => jwe.split(".")[2])).size).toBe(8)
  })
})

const LAST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

describe("a value at rest", () => {
  const kek = new Secret(new Uint8Array(randomBytes(32)))
  const header = { kid: "kek", place: '["deployment","kind","unit","id"]' }
  const open = (sealed: string, secret = kek) => agreed((cryptography) => cryptography.wrappingKey(secret).open(sealed))

  test.each(CROSSED)("that %s sealed opens with %s", async (_, __, maker, reader) => {
    await fc.assert(
      fc.asyncProperty(
        text.map((one) => one.toWellFormed()),
        async (plain) => {
          const sealed = await maker.wrappingKey(kek).seal(plain, header)
          expect(decodeProtectedHeader(sealed)).toMatchObject({ alg: "A256GCMKW", enc: "A256GCM", ...header })
          expect(await reader.wrappingKey(kek).open(sealed)).toBe(plain)
        },
      ),
      { numRuns: 50 },
    )
  })

  test.each(BOTH)("that %s sealed stays shut after any change", async (_, cryptography) => {
    const parts = (await cryptography.wrappingKey(kek).seal("a secret", header)).split(".")
    const changed = (part: number, change: (bytes: Buffer) => Uint8Array) =>
      parts.with(part, Buffer.from(change(Buffer.from(parts[part] ?? "", "base64url"))).toString("base64url")).join(".")
    const bits = fc.tuple(fc.nat({ max: 4 }), fc.nat())
    await fc.assert(
      fc.asyncProperty(bits, async ([part, seed]) => {
        const flip = (bytes: Buffer) => {
          const at = seed % (bytes.length * 8)
          bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7))
          return bytes
        }
        expect(await open(changed(part, flip))).toBeNull()
      }),
      { numRuns: 200 },
    )
    for (const part of [1, 2, 3, 4]) {
      expect(await open(changed(part, (bytes) => bytes.subarray(0, -1))), `part ${part} cut`).toBeNull()
      expect(
        await open(changed(part, (bytes) => Buffer.concat([bytes, Buffer.of(0)]))),
        `part ${part}, more`,
      ).toBeNull()
      expect(await open(parts.with(part, "").join(".")), `part ${part} empty`).toBeNull()
    }
    // A shorter tag of GCM is a prefix of the whole one, and easy to guess.
    for (const bytes of [4, 8, 12, 15]) expect(await open(changed(4, (tag) => tag.subarray(0, bytes)))).toBeNull()
    // The last character of 32 bytes has two bits that no byte needs, and spaces are none.
    const [key = ""] = parts.slice(1)
    for (const other of [`${key.slice(0, -1)}${LAST[LAST.indexOf(key.at(-1) ?? "") ^ 1]}`, `${key}=`, `${key} `])
      expect(await open(parts.with(1, other).join(".")), other).toBeNull()
    expect(await open([...parts, ""].join("."))).toBeNull()
    expect(await open(parts.slice(0, 4).join("."))).toBeNull()
    expect(await open("")).toBeNull()
  })

  test("does not open under another key", async () => {
    const sealed = await nodeCryptography.wrappingKey(kek).seal("a secret", header)
    expect(await open(sealed, new Secret(new Uint8Array(randomBytes(32))))).toBeNull()
  })

  test.each([
    ["A256KW", "A256GCM"],
    ["dir", "A256GCM"],
    ["A256GCMKW", "A128GCM"],
    ["A256GCMKW", "A256CBC-HS512"],
  ])("in another form, %s with %s, does not open", async (alg, enc) => {
    const sealed = await new CompactEncrypt(Buffer.from("a secret"))
      .setProtectedHeader({ alg, enc, ...header })
      .encrypt(kek.reveal())
    expect(await open(sealed)).toBeNull()
  })

  test("with a header that wants something else to be understood does not open", async () => {
    const sealed = await new CompactEncrypt(Buffer.from("a secret"))
      .setProtectedHeader({ alg: "A256GCMKW", enc: "A256GCM", ...header, crit: ["x"], x: 1 })
      .encrypt(kek.reveal(), { crit: { x: true } })
    expect(await open(sealed)).toBeNull()
  })
})

test("a digest is SHA-256 over UTF-8, in base64url", async () => {
  // NIST's example of "abc".
  expect(await agreed(async ({ digest }) => digest("abc"))).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0")
  await fc.assert(
    fc.asyncProperty(text, async (one) => {
      expect(await agreed(async ({ digest }) => digest(one))).toHaveLength(43)
    }),
  )
})

test("no algorithm is without a case", () => {
  expect(new Set(ALGORITHMS).size).toBe(10)
})

import { createECDH } from "node:crypto"
import fc from "fast-check"
import { CompactEncrypt, importJWK } from "jose"
import { describe, expect, it } from "vitest"
import { openJwe } from "../../action/jwe.ts"
import { makeJobKey } from "../../action/key.ts"
import { runs } from "../support/laws.ts"

const TEXT = '{"lease":"canary-of-a-sealed-answer"}'

/** Seals as a broker does, with jose: foreign truth for our own reader. */
async function seal(publicJwk: object, header: Record<string, unknown> = {}, text = TEXT): Promise<string> {
  return await new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: "ECDH-ES", enc: "A256GCM", ...header } as never)
    .encrypt(await importJWK({ ...publicJwk } as never, "ECDH-ES"))
}

function makeKey() {
  const key = createECDH("prime256v1")
  const point = key.generateKeys()
  const [x, y] = [point.subarray(1, 33).toString("base64url"), point.subarray(33).toString("base64url")]
  return { key, jwk: { kty: "EC", crv: "P-256", x, y } }
}

const open = (jwe: string, key: ReturnType<typeof createECDH>) => openJwe(jwe, key)?.toString("utf8") ?? null

/** A compact JWE with one of its parts replaced. */
function replaced(jwe: string, index: number, change: (part: string) => string): string {
  return jwe
    .split(".")
    .map((part, at) => (at === index ? change(part) : part))
    .join(".")
}

const withHeader = (jwe: string, change: (header: Record<string, unknown>) => Record<string, unknown>) =>
  replaced(jwe, 0, (part) => {
    const header = JSON.parse(Buffer.from(part, "base64url").toString("utf8"))
    return Buffer.from(JSON.stringify(change(header))).toString("base64url")
  })

describe("an answer encrypted to the job's key", () => {
  it("opens, as jose sealed it, whatever its length and characters", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 300 }), async (text) => {
        const { key, jwk } = makeKey()
        return open(await seal(jwk, {}, text), key) === text.toWellFormed()
      }),
      { numRuns: runs(100) },
    )
  })

  it("opens through the key that an exchange makes", async () => {
    const key = makeJobKey()
    expect(key.open(await seal(key.publicJwk))).toEqual(JSON.parse(TEXT))
  })

  it("derives the content key as RFC 7518, appendix C has it", () => {
    // The appendix's own keys; its example names Alice and Bob and A128GCM, so that what is compared here is the secret
    // both sides agree on, from which the rest follows by the property above.
    const bob = createECDH("prime256v1")
    bob.setPrivateKey(Buffer.from("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw", "base64url"))
    const alice = ["gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0", "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"]
    const point = Buffer.concat([Buffer.of(4), ...alice.map((part) => Buffer.from(part, "base64url"))])
    expect([...bob.computeSecret(point)]).toEqual([
      158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163, 218, 128, 106, 72,
      246, 218, 167, 121, 140, 254, 144, 196,
    ])
  })

  it("stays shut for another key", async () => {
    expect(open(await seal(makeKey().jwk), makeKey().key)).toBeNull()
  })

  it("stays shut after any byte of any part was changed", async () => {
    const { key, jwk } = makeKey()
    const jwe = await seal(jwk)
    for (const index of [0, 2, 3, 4]) {
      const part = jwe.split(".")[index] ?? ""
      const bytes = Buffer.from(part, "base64url")
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ 1
        expect(
          open(
            replaced(jwe, index, () => changed.toString("base64url")),
            key,
          ),
          `part ${index}, byte ${at}`,
        ).toBeNull()
      }
    }
  })

  it.each([
    ["another agreement", (header: Record<string, unknown>) => ({ ...header, alg: "ECDH-ES+A256KW" })],
    ["a shared secret's algorithm", (header: Record<string, unknown>) => ({ ...header, alg: "dir" })],
    ["another cipher", (header: Record<string, unknown>) => ({ ...header, enc: "A128GCM" })],
    ["compression", (header: Record<string, unknown>) => ({ ...header, zip: "DEF" })],
    ["a critical extension", (header: Record<string, unknown>) => ({ ...header, crit: ["exp"], exp: 1 })],
    ["party information", (header: Record<string, unknown>) => ({ ...header, apu: "QWxpY2U" })],
    ["no sender's key", ({ epk: _, ...header }: Record<string, unknown>) => header],
    [
      "a sender's key on another curve",
      (header: Record<string, unknown>) => ({ ...header, epk: { kty: "EC", crv: "P-384", x: "AA", y: "AA" } }),
    ],
    [
      "a point off the curve",
      (header: Record<string, unknown>) => ({
        ...header,
        epk: { kty: "EC", crv: "P-256", x: "A".repeat(43), y: "A".repeat(43) },
      }),
    ],
    [
      "a coordinate that is too short",
      (header: Record<string, unknown>) => ({ ...header, epk: { kty: "EC", crv: "P-256", x: "AA", y: "AA" } }),
    ],
  ])("stays shut when its header names %s", async (_, change) => {
    const { key, jwk } = makeKey()
    expect(open(withHeader(await seal(jwk), change), key)).toBeNull()
  })

  it.each([
    ["nothing", () => ""],
    ["four parts", (jwe: string) => jwe.split(".").slice(0, 4).join(".")],
    ["six parts", (jwe: string) => `${jwe}.AA`],
    ["a wrapped key", (jwe: string) => replaced(jwe, 1, () => "AA")],
    ["padding", (jwe: string) => `${jwe}=`],
    [
      "a stray bit at the end of a part",
      (jwe: string) =>
        replaced(
          jwe,
          4,
          (tag) =>
            `${tag.slice(0, -1)}${tag.endsWith("A") ? "B" : String.fromCharCode(tag.charCodeAt(tag.length - 1) + 1)}`,
        ),
    ],
    ["a tag that was cut", (jwe: string) => replaced(jwe, 4, (tag) => tag.slice(0, 16))],
    [
      "an initialisation vector of another length",
      (jwe: string) => replaced(jwe, 2, () => Buffer.alloc(16).toString("base64url")),
    ],
    ["a header that is not JSON", (jwe: string) => replaced(jwe, 0, () => Buffer.from("header").toString("base64url"))],
  ])("is refused as %s", async (_, change) => {
    const { key, jwk } = makeKey()
    expect(open(change(await seal(jwk)), key)).toBeNull()
  })

  it("never throws, whatever it is", () => {
    const { key } = makeKey()
    const part = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map((text) => Buffer.from(text).toString("base64url")),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => openJwe(parts.join("."), key) === null),
      { numRuns: runs(2000) },
    )
  })
})

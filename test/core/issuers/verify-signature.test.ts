import { base64url } from "jose"
import { describe, expect, test } from "vitest"
import type { IssuerFamily } from "../../../broker/issuers/family.ts"
import { githubActions } from "../../../broker/issuers/github-actions/family.ts"
import { claims, ISSUER_URL, issuer, publicJwk, refusal, type TokenParts, token, utf8 } from "./fixture.ts"
import { setUpVerifier } from "./verifier-fixture.ts"

const several: IssuerFamily = {
  ...githubActions,
  facts: { ...githubActions.facts, name: "several" },
  algorithms: ["RS512", "RS256"],
}
const setup = setUpVerifier(several)

describe("a signature is refused", () => {
  test.each<readonly [string, () => Promise<string>]>([
    ["of another key under the same kid", () => token(setup.foreignKey)],
    ["of a key that the issuer does not publish", () => token(setup.foreignKey, { header: { kid: "k2" } })],
    ["with the algorithm none and a made-up signature", () => token(setup.key, { header: { alg: "none" } })],
    ["with HMAC, keyed with the public key", hmacToken],
    ["with RS512, which the issuer does not use", () => token(setup.key, { header: { alg: "RS512" } })],
    ["with PS256", () => token(setup.key, { header: { alg: "PS256" } })],
    ["with rs256 in small letters", () => token(setup.key, { header: { alg: "rs256" } })],
    [
      "of another token",
      async () => swapSignature(await token(setup.key), await token(setup.key, { claims: claims({ jti: "other" }) })),
    ],
    ["that is cut short", async () => (await token(setup.key)).slice(0, -2)],
    ["of zeros", async () => swapSignature(await token(setup.key), `..${base64url.encode(new Uint8Array(256))}`)],
    ["of one byte", async () => swapSignature(await token(setup.key), "..AA")],
  ])("%s", async (_, make) => {
    expect((await refusal(setup.verify(await make()))).code).toBe("token_signature_invalid")
  })

  test.each([
    ["expired long ago", { exp: 1, iat: 0 }],
    ["for another audience", { aud: "https://elsewhere.example" }],
    [
      "without any claim but its issuer",
      Object.fromEntries(Object.keys(claims()).map((name) => [name, name === "iss" ? ISSUER_URL : undefined])),
    ],
  ])("with one and the same answer, although the token is %s", async (_, overrides) => {
    const plain = await refusal(setup.verify(await token(setup.foreignKey)))
    const other = await refusal(setup.verify(await token(setup.foreignKey, { claims: claims(overrides) })))
    expect([other.code, other.detail]).toEqual([plain.code, plain.detail])
  })

  test.each([
    ["a weak key", { n: base64url.encode(new Uint8Array(128).fill(255)) }],
    ["a key with an even exponent", { e: "AQAC" }],
    ["a key that shows its private half", { d: "AQAB" }],
    ["a key for encryption", { use: "enc" }],
    ["a key for another algorithm", { alg: "RS512" }],
  ])("when the issuer publishes %s for it", async (_, members) => {
    setup.network.publish([publicJwk(setup.key, members)])
    expect((await refusal(setup.verify(await token(setup.key)))).code).toBe("token_signature_invalid")
  })

  async function hmacToken(): Promise<string> {
    const signingInput = `${base64url.encode('{"alg":"HS256","kid":"k1","typ":"JWT"}')}.${base64url.encode(JSON.stringify(claims()))}`
    const secret = await crypto.subtle.importKey(
      "raw",
      utf8(setup.key.jwk.n),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    )
    return `${signingInput}.${base64url.encode(new Uint8Array(await crypto.subtle.sign("HMAC", secret, utf8(signingInput))))}`
  }

  function swapSignature(text: string, other: string): string {
    return text.slice(0, text.lastIndexOf(".")) + other.slice(other.lastIndexOf("."))
  }
})

test.each(["none", "HS256", "RS512", "PS256", "ES256", "EdDSA"])(
  "the algorithm %s, which the issuer does not use, is refused without any request",
  async (alg) => {
    const error = await refusal(setup.verify(await token(setup.key, { header: { alg } })))
    expect(error.detail).toBe("The subject token must be signed with RS256.")
    expect(setup.network.requests).toEqual([])
  },
)

test.each<readonly [string, () => Promise<string>, string]>([
  [
    "with an algorithm that the issuer does not use",
    () => token(setup.key, { header: { alg: "RS512" } }),
    "The subject token must be signed with RS256.",
  ],
  [
    "with a key that nobody published",
    () => token(setup.key, { header: { kid: "k2" } }),
    "The subject token is signed with a key that its issuer does not publish.",
  ],
  ["by somebody else", () => token(setup.foreignKey), "The subject token's signature does not match its issuer's key."],
])("a token that is signed %s is told so", async (_, make, detail) => {
  expect(await refusal(setup.verify(await make()))).toMatchObject({ code: "token_signature_invalid", detail })
})

test("a family may sign with one of several algorithms, and a refusal names all of them", async () => {
  const config = issuer({ family: several.facts.name })
  await expect(setup.verify(await token(setup.key), config)).resolves.toBeDefined()
  const refused = await refusal(setup.verify(await token(setup.key, { header: { alg: "none" } }), config))
  expect(refused.detail).toBe("The subject token must be signed with RS512 or RS256.")
})

describe("a form is refused before anything is fetched", () => {
  test.each<readonly [string, TokenParts]>([
    ["a jwk in the header", { header: { jwk: { kty: "RSA" } } }],
    ["a jku in the header", { header: { jku: "https://attacker.example/keys" } }],
    ["an x5c in the header", { header: { x5c: ["MIIB"] } }],
    ["a crit in the header", { header: { crit: ["exp"] } }],
    ["an unencoded payload", { header: { b64: false, crit: ["b64"] } }],
    ["a kid that is a number", { header: { kid: 1 } }],
    ["another typ", { header: { typ: "secevent+jwt" } }],
    ["the same claim twice", { rawPayload: '{"iss":"x","repository_id":"1","repository_id":"456789"}' }],
    ["a time that is rounded when it is read", { rawPayload: '{"iss":"x","exp":1795300300.00000000001}' }],
    ["a payload that is not JSON", { rawPayload: "iss" }],
  ])("with %s", async (_, parts) => {
    expect((await refusal(setup.verify(await token(setup.key, parts)))).code).toBe("token_malformed")
    expect(setup.network.requests).toEqual([])
  })

  test("whose text was padded or re-encoded, though the signature in it is good", async () => {
    const text = await token(setup.key)
    for (const variant of [
      `${text}=`,
      `${text}\n`,
      ` ${text}`,
      text.replaceAll("-", "+").replaceAll("_", "/"),
      `${text}.`,
    ]) {
      if (variant !== text) expect((await refusal(setup.verify(variant))).code).toBe("token_malformed")
    }
  })

  test("that is larger than 16 KiB", async () => {
    const error = await refusal(setup.verifyClaims({ filler: "x".repeat(16 * 1024) }))
    expect(error).toMatchObject({ code: "token_malformed", detail: "The subject token is longer than 16 KiB." })
  })
})

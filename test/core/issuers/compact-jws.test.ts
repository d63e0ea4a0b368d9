import fc from "fast-check"
import { base64url } from "jose"
import { describe, expect, test } from "vitest"
import { decodeBase64url, isBase64url } from "../../../broker/core/base64url.ts"
import { MAX_TOKEN_BYTES, parseCompactJws } from "../../../broker/issuers/compact-jws.ts"
import { runs } from "../../support/laws.ts"

const encode = (text: string) => base64url.encode(text)
const HEADER = '{"alg":"RS256","kid":"k1","typ":"JWT","x5t":"t"}'
const PAYLOAD = '{"iss":"https://issuer.example"}'
const SIGNATURE = base64url.encode(new Uint8Array(256).fill(7))
const GOOD = [encode(HEADER), encode(PAYLOAD), SIGNATURE].join(".")
const withHeader = (header: string) => [encode(header), encode(PAYLOAD), SIGNATURE].join(".")
const withPayload = (payload: string) => [encode(HEADER), encode(payload), SIGNATURE].join(".")

describe("a token is parsed", () => {
  test("into its header's algorithm and key id, its payload, and the text that was signed", () => {
    const parsed = parseCompactJws(GOOD)
    if (!parsed.ok) throw new Error(parsed.fault)
    expect(parsed.value).toMatchObject({
      alg: "RS256",
      kid: "k1",
      signingInput: `${encode(HEADER)}.${encode(PAYLOAD)}`,
    })
    expect({ ...parsed.value.payload }).toEqual({ iss: "https://issuer.example" })
  })

  test.each([
    `{"alg":"RS256","kid":"${"k".repeat(256)}"}`,
    '{"alg":"RS256","kid":"k1"}',
    '{"kid":"k1","alg":"none"}',
    '{"alg":"RS256","kid":"\\u0000"}',
  ])("with the header %s, whose meaning is for others to judge", (header) => {
    expect(parseCompactJws(withHeader(header)).ok).toBe(true)
  })

  test("up to the size limit and no further", () => {
    const padding = (length: number) => withPayload(`{"a":"${"x".repeat(length)}"}`)
    let length = 0
    while (padding(length + 1).length <= MAX_TOKEN_BYTES) length += 1
    expect(parseCompactJws(padding(length)).ok).toBe(true)
    expect(parseCompactJws(padding(length + 3))).toEqual({ ok: false, fault: "is longer than 16 KiB" })
  })
})

describe("refused is a token", () => {
  test.each([
    ["that is empty", "", "three parts"],
    ["of one part", encode(HEADER), "three parts"],
    ["of two parts", `${encode(HEADER)}.${encode(PAYLOAD)}`, "three parts"],
    ["of four parts", `${GOOD}.${SIGNATURE}`, "three parts"],
    ["of five parts, as an encrypted one has", "a.b.c.d.e", "three parts"],
    ["without a header", `.${encode(PAYLOAD)}.${SIGNATURE}`, "base64url"],
    ["without a payload, which a detached one leaves out", `${encode(HEADER)}..${SIGNATURE}`, "base64url"],
    ["without a signature, as alg none has it", `${encode(HEADER)}.${encode(PAYLOAD)}.`, "base64url"],
    ["with padding", `${GOOD}==`, "base64url"],
    ["with a space in front", ` ${GOOD}`, "base64url"],
    ["with a line break behind", `${GOOD}\n`, "base64url"],
    ["with a letter of another alphabet", GOOD.replace(/\.[^.]{4}/, ".ä000"), "base64url"],
    ["in base64 with + and /", `${encode(HEADER)}.${encode(PAYLOAD)}.+/+/`, "base64url"],
    [
      "as JSON",
      JSON.stringify({ payload: encode(PAYLOAD), signature: SIGNATURE, protected: encode(HEADER) }),
      "three parts",
    ],
    ["with the Bearer word", `Bearer ${GOOD}`, "base64url"],
    ["with dots for parts", "..", "base64url"],
  ])("%s", (_, token, fault) => {
    expect(parseCompactJws(token)).toMatchObject({ ok: false, fault: expect.stringContaining(fault) })
  })

  test.each([
    ["jwk", { jwk: { kty: "RSA", n: "AQAB", e: "AQAB" } }],
    ["jku", { jku: "https://attacker.example/keys" }],
    ["x5c", { x5c: ["MIIB"] }],
    ["x5u", { x5u: "https://attacker.example/cert" }],
    ["crit", { crit: ["b64"] }],
    ["b64", { b64: false }],
    ["zip", { zip: "DEF" }],
    ["cty", { cty: "JWT" }],
    ["enc", { enc: "A256GCM" }],
    ["iss, a claim where it does not belong", { iss: "https://issuer.example" }],
    ["x5t#S256", { "x5t#S256": "t" }],
  ])("whose header has %s", (_, member) => {
    const header = JSON.stringify({ alg: "RS256", kid: "k1", ...member })
    expect(parseCompactJws(withHeader(header))).toMatchObject({
      ok: false,
      fault: expect.stringContaining("other than alg, kid, typ and x5t"),
    })
  })

  test.each([
    ["no alg", '{"kid":"k1"}'],
    ["an alg that is a list", '{"alg":["RS256"],"kid":"k1"}'],
    ["an alg that is null", '{"alg":null,"kid":"k1"}'],
    ["no kid", '{"alg":"RS256"}'],
    ["a kid that is a number", '{"alg":"RS256","kid":1}'],
    ["a kid that is empty", '{"alg":"RS256","kid":""}'],
    ["a kid without end", `{"alg":"RS256","kid":"${"k".repeat(257)}"}`],
    ["another typ", '{"alg":"RS256","kid":"k1","typ":"at+jwt"}'],
    ["a typ in small letters", '{"alg":"RS256","kid":"k1","typ":"jwt"}'],
    ["a typ that is null", '{"alg":"RS256","kid":"k1","typ":null}'],
    ["an x5t that is a number", '{"alg":"RS256","kid":"k1","x5t":1}'],
    ["alg twice", '{"alg":"none","kid":"k1","alg":"RS256"}'],
    ["__proto__", '{"alg":"RS256","kid":"k1","__proto__":{"typ":"JWT"}}'],
    ["alg only in __proto__", '{"kid":"k1","__proto__":{"alg":"RS256"}}'],
    ["no JSON", "alg=RS256"],
    ["a list for a header", "[]"],
  ])("whose header has %s", (_, header) => {
    expect(parseCompactJws(withHeader(header)).ok).toBe(false)
  })

  test.each([
    ['["RS256"]', "has a header that is not a JSON object"],
    ['{"kid":"k1"}', "must have an alg in its header"],
    ['{"alg":"RS256"}', "must have a kid of 1 to 256 characters in its header"],
    ['{"alg":"RS256","kid":"k1","typ":"at+jwt"}', "must have the typ JWT, or no typ"],
    ['{"alg":"RS256","kid":"k1","x5t":1}', "must have a string as x5t, or no x5t"],
    ['{"alg":"RS256","kid":"k1","jwk":{}}', "must not have header members other than alg, kid, typ and x5t"],
  ])("whose header is %s, with what is wrong with it", (header, fault) => {
    expect(parseCompactJws(withHeader(header))).toEqual({ ok: false, fault })
  })

  test("whose payload is no object, with which part it is", () => {
    expect(parseCompactJws(withPayload("[]"))).toEqual({ ok: false, fault: "has a payload that is not a JSON object" })
  })

  test.each([
    ["the same claim twice", '{"iss":"a","iss":"b"}', "same key twice"],
    ["a text that is no object", '"iss"', "not a JSON object"],
    ["nine levels", `{"a":${"[".repeat(8)}${"]".repeat(8)}}`, "deeper"],
    ["white space alone", " ", "not a JSON object"],
  ])("whose payload has %s", (_, payload, fault) => {
    expect(parseCompactJws(withPayload(payload))).toMatchObject({ ok: false, fault: expect.stringContaining(fault) })
  })
})

describe("base64url", () => {
  test.each([
    ["", null],
    ["A", null],
    ["AA", [0]],
    ["AB", null],
    ["AAA", [0, 0]],
    ["AAB", null],
    ["AAE", [0, 1]],
    ["AAAA", [0, 0, 0]],
    ["AAAAA", null],
    ["_-_-", [255, 239, 254]],
    ["AA==", null],
    ["A A", null],
    ["AA\n", null],
  ])("%j is read as %j", (text, bytes) => {
    expect(decodeBase64url(text)).toEqual(bytes && Uint8Array.from(bytes))
  })

  test("has one text for one byte string: what decodes is what encodes again", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
    const text = fc.array(fc.constantFrom(...alphabet), { maxLength: 9 }).map((letters) => letters.join(""))
    fc.assert(
      fc.property(text, (candidate) => {
        const bytes = decodeBase64url(candidate)
        expect(bytes !== null).toBe(isBase64url(candidate))
        if (bytes) expect(base64url.encode(bytes)).toBe(candidate)
      }),
      { numRuns: runs(2000) },
    )
  })

  test("reads whatever bytes there are back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
        expect(decodeBase64url(base64url.encode(bytes))).toEqual(bytes)
      }),
    )
  })
})

describe("as a law", () => {
  test("no text makes the parser throw, and no fault quotes the text", () => {
    const part = fc.oneof(fc.base64String(), fc.string(), fc.json().map(encode), fc.constant(encode(HEADER)))
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join(".")),
    )
    fc.assert(
      fc.property(text, (token) => {
        const parsed = parseCompactJws(`${token}canary`)
        if (!parsed.ok) expect(parsed.fault).not.toContain("canary")
      }),
      { numRuns: runs(1000) },
    )
  })
})

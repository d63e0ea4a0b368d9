import { base64url } from "jose"
import { beforeAll, beforeEach, describe, expect, test } from "vitest"
import type { IssuerConfig } from "../../../broker/core/policy/model.ts"
import { FAMILIES } from "../../../broker/issuers/families.ts"
import type { IssuerFamily } from "../../../broker/issuers/family.ts"
import { githubActions } from "../../../broker/issuers/github-actions/family.ts"
import { createVerifier, type SubjectTokenVerifier } from "../../../broker/issuers/verify.ts"
import { HttpError } from "../../../broker/ports/http.ts"
import type { ErrorCode } from "../../../broker/wire/error-codes.ts"
import githubCom from "../../vectors/claims/github-branch-immutable.json" with { type: "json" }
import enterpriseSlug from "../../vectors/claims/github-enterprise-slug.json" with { type: "json" }
import gheCom from "../../vectors/claims/github-ghe-com.json" with { type: "json" }
import ghes from "../../vectors/claims/github-ghes.json" with { type: "json" }
import {
  AUDIENCE,
  claims,
  DISCOVERY_URL,
  ISSUER_URL,
  issuer,
  type Json,
  JWKS_URL,
  listed,
  makeKey,
  NOW_SECONDS,
  publicJwk,
  refusal,
  TestClock,
  type TestKey,
  TestNetwork,
  THUMBPRINT,
  type TokenParts,
  token,
  utf8,
} from "./fixture.ts"

let key: TestKey
let foreignKey: TestKey
let clock: TestClock
let network: TestNetwork
let verifier: SubjectTokenVerifier

beforeAll(async () => {
  key = await makeKey("k1")
  foreignKey = await makeKey("k1")
})

beforeEach(() => {
  clock = new TestClock()
  network = new TestNetwork()
  network.publish([publicJwk(key)])
  verifier = createVerifier({ audience: AUDIENCE, http: network.http, clock })
})

const verify = (text: string, config: IssuerConfig = issuer()) => verifier.verify(text, listed(config))
const verifyClaims = async (overrides: Json, config?: IssuerConfig) =>
  verify(await token(key, { claims: claims(overrides) }), config)
const sha256 = async (text: string) =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))))

describe("a good token", () => {
  test("gives the job's identity, and what the token is known by", async () => {
    const text = await token(key)
    const verified = await verify(text)
    expect(verified.identity).toMatchObject({
      issuer: "github",
      repository: "octo-org/octo-repo",
      environment: "Production",
    })
    expect({ ...verified.identity.claims }).toEqual(claims())
    expect(verified.issuer.name).toBe("github")
    expect(verified.diesAt).toBe((claims()["exp"] as number) + 60)
    expect(verified.boundTo).toBeNull()
    expect(verified.digest).toBe(await sha256(text.slice(0, text.lastIndexOf("."))))
    expect(verified.tokenKey).toBe(await sha256(`${ISSUER_URL}\0${claims()["jti"]}`))
  })

  test.each([3072, 4096])("may be signed with a key of %i bits", async (bits) => {
    const large = await makeKey("large", bits)
    network.publish([publicJwk(large)])
    expect((await verify(await token(large))).identity.repositoryId).toBe("456789")
  })

  test.each([
    ["github.com", githubCom, "/.well-known/jwks"],
    ["an enterprise, whose keys stay at the root of the host", enterpriseSlug, "/.well-known/jwks"],
    ["an enterprise server", ghes, "/_services/token/.well-known/jwks"],
    ["ghe.com", gheCom, "/.well-known/jwks"],
  ])("may come from %s", async (_, sample, keysPath) => {
    const jwksUrl = new URL(keysPath, sample.iss).href
    network.publish([publicJwk(key)], sample.iss, jwksUrl)
    const text = await token(key, { claims: { ...sample, aud: AUDIENCE } })
    expect((await verify(text, issuer({ url: sample.iss }))).identity.issuerUrl).toBe(sample.iss)
    expect(network.urls).toEqual([`${sample.iss}/.well-known/openid-configuration`, jwksUrl])
  })

  test("is picked out of several issuers by its iss alone", async () => {
    const other = issuer({ name: "other", url: "https://issuer.example" })
    expect((await verifier.verify(await token(key), listed(other, issuer()))).issuer.name).toBe("github")
    expect(network.urls).toEqual([DISCOVERY_URL, JWKS_URL])
  })

  test.each([
    ["a string", AUDIENCE, null],
    ["a list of one", [AUDIENCE], null],
    ["a string with a key's thumbprint", `${AUDIENCE}?jkt=${THUMBPRINT}`, THUMBPRINT],
    ["a list of one with a key's thumbprint", [`${AUDIENCE}?jkt=${THUMBPRINT}`], THUMBPRINT],
  ])("may have %s for its audience", async (_, aud, boundTo) => {
    expect((await verifyClaims({ aud })).boundTo).toBe(boundTo)
  })

  test.each<readonly [string, Json]>([
    ["at the last moment, skew included", { exp: NOW_SECONDS - 59, iat: NOW_SECONDS - 359, nbf: NOW_SECONDS - 359 }],
    ["from a clock that is a minute fast", { iat: NOW_SECONDS + 60, nbf: NOW_SECONDS + 60, exp: NOW_SECONDS + 360 }],
    ["with the longest life of its family", { iat: NOW_SECONDS, exp: NOW_SECONDS + 600 }],
    ["without nbf", { nbf: undefined }],
    ["with a jti of 256 characters", { jti: "j".repeat(256) }],
    ["with claims nobody knows", { constructor: "x", toString: 1, nested: { a: [1, { b: null }] } }],
  ])("is taken %s", async (_, overrides) => {
    expect((await verifyClaims(overrides)).identity.runId).toBe("10988497055")
  })

  test("without typ and x5t in its header is taken", async () => {
    expect((await verify(await token(key, { header: { typ: undefined, x5t: undefined } }))).boundTo).toBeNull()
  })

  test("keeps a claim named __proto__ as a claim", async () => {
    const rawPayload = JSON.stringify(claims()).replace("{", '{"__proto__":{"environment":"evil"},')
    const { identity } = await verify(await token(key, { rawPayload }))
    expect(Object.getPrototypeOf(identity.claims)).toBeNull()
    expect(Object.keys(identity.claims)).toContain("__proto__")
  })

  test("is verified with keys that were fetched once", async () => {
    for (let index = 0; index < 5; index += 1) await verifyClaims({ jti: `j${index}` })
    expect(network.requests).toHaveLength(2)
  })
})

describe("an issuer", () => {
  test.each([
    ["https://attacker.example", "https://attacker.example"],
    ["http://169.254.169.254/latest", "http://169.254.169.254/latest"],
    [`${ISSUER_URL}/`, `${ISSUER_URL}/`],
    [`${ISSUER_URL}/octocat-inc`, `${ISSUER_URL}/octocat-inc`],
    [`${ISSUER_URL}.attacker.example`, `${ISSUER_URL}.attacker.example`],
    [ISSUER_URL.toUpperCase(), ISSUER_URL.toUpperCase()],
    [`${ISSUER_URL}\n`, "(too long or not printable ASCII)"],
    [`https://${"x".repeat(100)}`, "(too long or not printable ASCII)"],
    ["", "(too long or not printable ASCII)"],
  ])("%j that is not listed is refused without any request", async (iss, said) => {
    const error = await refusal(verifyClaims({ iss }))
    expect(error.code).toBe("token_issuer_unknown")
    expect(error.detail).toContain(said)
    expect(network.requests).toEqual([])
  })

  test.each([[undefined], [null], [1], [[ISSUER_URL]], [{ url: ISSUER_URL }]])(
    "that is %j is no issuer",
    async (iss) => {
      expect((await refusal(verifyClaims({ iss }))).code).toBe("token_malformed")
      expect(network.requests).toEqual([])
    },
  )

  test("of a family that nobody knows is the operator's mistake", async () => {
    expect((await refusal(verifyClaims({}, issuer({ family: "constructor" })))).code).toBe("configuration_invalid")
  })

  test("whose keys cannot be had is unavailable, and the job is told when to come back", async () => {
    network.answer(DISCOVERY_URL, new HttpError("timeout"))
    expect(await refusal(verifyClaims({}))).toMatchObject({
      code: "issuer_unavailable",
      status: 503,
      retryAfterSeconds: 5,
    })
  })
})

describe("a signature is refused", () => {
  test.each<readonly [string, () => Promise<string>]>([
    ["of another key under the same kid", () => token(foreignKey)],
    ["of a key that the issuer does not publish", () => token(foreignKey, { header: { kid: "k2" } })],
    ["with the algorithm none and a made-up signature", () => token(key, { header: { alg: "none" } })],
    ["with HMAC, keyed with the public key", hmacToken],
    ["with RS512, which the issuer does not use", () => token(key, { header: { alg: "RS512" } })],
    ["with PS256", () => token(key, { header: { alg: "PS256" } })],
    ["with rs256 in small letters", () => token(key, { header: { alg: "rs256" } })],
    [
      "of another token",
      async () => swapSignature(await token(key), await token(key, { claims: claims({ jti: "other" }) })),
    ],
    ["that is cut short", async () => (await token(key)).slice(0, -2)],
    ["of zeros", async () => swapSignature(await token(key), `..${base64url.encode(new Uint8Array(256))}`)],
    ["of one byte", async () => swapSignature(await token(key), "..AA")],
  ])("%s", async (_, make) => {
    expect((await refusal(verify(await make()))).code).toBe("token_signature_invalid")
  })

  test.each([
    ["expired long ago", { exp: 1, iat: 0 }],
    ["for another audience", { aud: "https://elsewhere.example" }],
    [
      "without any claim but its issuer",
      Object.fromEntries(Object.keys(claims()).map((name) => [name, name === "iss" ? ISSUER_URL : undefined])),
    ],
  ])("with one and the same answer, although the token is %s", async (_, overrides) => {
    const plain = await refusal(verify(await token(foreignKey)))
    const other = await refusal(verify(await token(foreignKey, { claims: claims(overrides) })))
    expect([other.code, other.detail]).toEqual([plain.code, plain.detail])
  })

  test.each([
    ["a weak key", { n: base64url.encode(new Uint8Array(128).fill(255)) }],
    ["a key with an even exponent", { e: "AQAC" }],
    ["a key that shows its private half", { d: "AQAB" }],
    ["a key for encryption", { use: "enc" }],
    ["a key for another algorithm", { alg: "RS512" }],
  ])("when the issuer publishes %s for it", async (_, members) => {
    network.publish([publicJwk(key, members)])
    expect((await refusal(verify(await token(key)))).code).toBe("token_signature_invalid")
  })

  async function hmacToken(): Promise<string> {
    const signingInput = `${base64url.encode('{"alg":"HS256","kid":"k1","typ":"JWT"}')}.${base64url.encode(JSON.stringify(claims()))}`
    const secret = await crypto.subtle.importKey("raw", utf8(key.jwk.n), { name: "HMAC", hash: "SHA-256" }, false, [
      "sign",
    ])
    return `${signingInput}.${base64url.encode(new Uint8Array(await crypto.subtle.sign("HMAC", secret, utf8(signingInput))))}`
  }

  function swapSignature(text: string, other: string): string {
    return text.slice(0, text.lastIndexOf(".")) + other.slice(other.lastIndexOf("."))
  }
})

test.each(["none", "HS256", "RS512", "PS256", "ES256", "EdDSA"])(
  "the algorithm %s, which the issuer does not use, is refused without any request",
  async (alg) => {
    const error = await refusal(verify(await token(key, { header: { alg } })))
    expect(error.detail).toBe("The subject token is not signed with RS256, as its issuer's are.")
    expect(network.requests).toEqual([])
  },
)

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
    ["a payload that is no JSON", { rawPayload: "iss" }],
  ])("with %s", async (_, parts) => {
    expect((await refusal(verify(await token(key, parts)))).code).toBe("token_malformed")
    expect(network.requests).toEqual([])
  })

  test("whose text was padded or re-encoded, though the signature in it is good", async () => {
    const text = await token(key)
    for (const variant of [
      `${text}=`,
      `${text}\n`,
      ` ${text}`,
      text.replaceAll("-", "+").replaceAll("_", "/"),
      `${text}.`,
    ]) {
      if (variant !== text) expect((await refusal(verify(variant))).code).toBe("token_malformed")
    }
  })

  test("that is larger than 16 KiB", async () => {
    const error = await refusal(verifyClaims({ filler: "x".repeat(16 * 1024) }))
    expect(error).toMatchObject({ code: "token_malformed", detail: "The subject token is longer than 16 KiB." })
  })
})

describe("a claim is refused", () => {
  test.each<readonly [string, Json, ErrorCode, string]>([
    ["no audience", { aud: undefined }, "token_audience_mismatch", "no audience, or several"],
    ["another audience", { aud: "https://other.example" }, "token_audience_mismatch", "https://other.example"],
    ["an empty audience", { aud: "" }, "token_audience_mismatch", AUDIENCE],
    ["the audience with a slash behind", { aud: `${AUDIENCE}/` }, "token_audience_mismatch", `${AUDIENCE}/`],
    ["the audience in capitals", { aud: AUDIENCE.toUpperCase() }, "token_audience_mismatch", AUDIENCE],
    ["an audience that begins as ours", { aud: `${AUDIENCE}.attacker.example` }, "token_audience_mismatch", "attacker"],
    [
      "ours among several audiences",
      { aud: [AUDIENCE, "https://other.example"] },
      "token_audience_mismatch",
      "several",
    ],
    ["ours twice", { aud: [AUDIENCE, AUDIENCE] }, "token_audience_mismatch", "several"],
    ["an empty list of audiences", { aud: [] }, "token_audience_mismatch", "no audience"],
    ["a list in a list", { aud: [[AUDIENCE]] }, "token_audience_mismatch", "no audience"],
    ["an audience that is true", { aud: true }, "token_audience_mismatch", "no audience"],
    ["an empty thumbprint", { aud: `${AUDIENCE}?jkt=` }, "token_audience_mismatch", "thumbprint"],
    ["a short thumbprint", { aud: `${AUDIENCE}?jkt=${THUMBPRINT.slice(1)}` }, "token_audience_mismatch", "thumbprint"],
    ["a long thumbprint", { aud: `${AUDIENCE}?jkt=${THUMBPRINT}A` }, "token_audience_mismatch", "thumbprint"],
    [
      "a thumbprint with stray bits",
      { aud: `${AUDIENCE}?jkt=${THUMBPRINT.slice(0, -1)}t` },
      "token_audience_mismatch",
      "thumbprint",
    ],
    [
      "a thumbprint with something behind it",
      { aud: `${AUDIENCE}?jkt=${THUMBPRINT}&x=1` },
      "token_audience_mismatch",
      "thumbprint",
    ],
    ["another parameter", { aud: `${AUDIENCE}?key=${THUMBPRINT}` }, "token_audience_mismatch", "key="],
    [
      "an audience too long to quote",
      { aud: "x".repeat(101) },
      "token_audience_mismatch",
      "(too long or not printable ASCII)",
    ],

    [
      "an end that is past, skew included",
      { exp: NOW_SECONDS - 60, iat: NOW_SECONDS - 360 },
      "token_expired",
      "expired at 2026-",
    ],
    ["a beginning in the future", { iat: NOW_SECONDS + 61, exp: NOW_SECONDS + 300 }, "token_not_yet_valid", "iat"],
    ["a not-before in the future", { nbf: NOW_SECONDS + 61 }, "token_not_yet_valid", "nbf"],
    [
      "a life longer than the family's",
      { iat: NOW_SECONDS, exp: NOW_SECONDS + 601 },
      "token_lifetime_too_long",
      "601 s",
    ],
    [
      "an end before its beginning",
      { iat: NOW_SECONDS + 20, exp: NOW_SECONDS + 10 },
      "token_claims_invalid",
      "exp is not after its iat",
    ],
    [
      "an end at its beginning",
      { iat: NOW_SECONDS, exp: NOW_SECONDS },
      "token_claims_invalid",
      "exp is not after its iat",
    ],
    ...["exp", "iat"].map(
      (name) => [`no ${name}`, { [name]: undefined }, "token_claims_invalid", `${name} is missing`] as const,
    ),
    ...["exp", "iat", "nbf"].flatMap((name) =>
      [NOW_SECONDS + 0.5, String(NOW_SECONDS), null, true, -1, [NOW_SECONDS], NOW_SECONDS * 1000].map(
        (value) =>
          [
            `${JSON.stringify(value)} for ${name}`,
            { [name]: value },
            "token_claims_invalid",
            `${name} is not a time`,
          ] as const,
      ),
    ),

    ["no jti", { jti: undefined }, "token_claims_invalid", "no jti"],
    ["an empty jti", { jti: "" }, "token_claims_invalid", "no jti"],
    ["a jti that is a number", { jti: 5 }, "token_claims_invalid", "no jti"],
    ["a jti of 257 characters", { jti: "j".repeat(257) }, "token_claims_invalid", "no jti"],

    ...githubActions.requiredStrings.flatMap((name) => [
      [`no ${name}`, { [name]: undefined }, "token_claims_invalid", `claim ${name} is missing`] as const,
      [`a number for ${name}`, { [name]: 456789 }, "token_claims_invalid", `claim ${name} is not a string`] as const,
      [`null for ${name}`, { [name]: null }, "token_claims_invalid", `claim ${name} is not a string`] as const,
    ]),
    ["an empty environment", { environment: "" }, "token_claims_invalid", "environment"],
    [
      "a sub of another repository",
      { sub: "repo:evil/repo:ref:refs/heads/main" },
      "token_claims_invalid",
      "the claims sub and repository disagree",
    ],
  ])("%s", async (_, overrides, code, words) => {
    const error = await refusal(verifyClaims(overrides))
    expect(error.code).toBe(code)
    expect(error.detail).toContain(words)
    expect(error.status).toBe(401)
  })

  test("a life longer than the organisation allows, which can only be less than the family's", async () => {
    const halfFamily = issuer({ maxTokenLifetimeSeconds: 299 })
    expect((await refusal(verifyClaims({}, halfFamily))).code).toBe("token_lifetime_too_long")
    const more = issuer({ maxTokenLifetimeSeconds: 86_400 })
    expect((await refusal(verifyClaims({ iat: NOW_SECONDS, exp: NOW_SECONDS + 601 }, more))).code).toBe(
      "token_lifetime_too_long",
    )
  })
})

describe("an issuer that sends no jti", () => {
  const family: IssuerFamily = { ...githubActions, name: "without-jti", sendsJti: false }
  const config = issuer({ family: "without-jti" })

  beforeEach(() => {
    const families = new Map([...FAMILIES, [family.name, family]])
    verifier = createVerifier({ audience: AUDIENCE, http: network.http, clock, families })
  })

  test("has its tokens told apart by what was signed", async () => {
    const one = await verifyClaims({ jti: undefined, run_id: "1" }, config)
    const two = await verifyClaims({ jti: undefined, run_id: "2" }, config)
    expect(one.tokenKey).toBe(await sha256(`${ISSUER_URL}\0${one.digest}`))
    expect(two.tokenKey).not.toBe(one.tokenKey)
  })

  test("has no use for a jti that a token brings all the same", async () => {
    const one = await verifyClaims({ jti: "same", run_id: "1" }, config)
    const two = await verifyClaims({ jti: "same", run_id: "2" }, config)
    expect(two.tokenKey).not.toBe(one.tokenKey)
  })
})

test("two issuers' tokens with one jti are two tokens", async () => {
  const other = "https://issuer.example"
  network.publish([publicJwk(key)], other, `${other}/keys`)
  const mine = await verifyClaims({})
  const others = await verifyClaims({ iss: other }, issuer({ name: "other", url: other }))
  expect(others.tokenKey).not.toBe(mine.tokenKey)
})

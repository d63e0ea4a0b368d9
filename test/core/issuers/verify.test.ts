import { base64url } from "jose"
import { describe, expect, test } from "vitest"
import type { IssuerFamily } from "../../../broker/issuers/family.ts"
import { githubActions } from "../../../broker/issuers/github-actions/family.ts"
import { HttpError } from "../../../broker/ports/http.ts"
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
  makeKey,
  NOW_SECONDS,
  publicJwk,
  refusal,
  THUMBPRINT,
  token,
  utf8,
} from "./fixture.ts"
import { setUpVerifier } from "./verifier-fixture.ts"

const withoutJti: IssuerFamily = {
  ...githubActions,
  facts: { ...githubActions.facts, name: "without-jti", jti: "never" },
}
const setup = setUpVerifier(withoutJti)
const sha256 = async (text: string) =>
  base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(text))))

describe("a good token", () => {
  test("gives the job's identity, and what the token is known by", async () => {
    const text = await token(setup.key)
    const verified = await setup.verify(text)
    expect(verified.identity).toMatchObject({
      issuer: "github",
      unit: "octo-org/octo-repo",
      environment: "Production",
    })
    expect({ ...verified.identity.claims }).toEqual({ ...claims(), outsider: false, interactive: false })
    expect(verified.issuer.name).toBe("github")
    expect(verified.diesAt).toBe((claims()["exp"] as number) + 60)
    expect(verified.boundTo).toBeNull()
    expect(verified.digest).toBe(await sha256(text.slice(0, text.lastIndexOf("."))))
    expect(verified.tokenKey).toBe(await sha256(`${ISSUER_URL}\0${claims()["jti"]}`))
  })

  test.each([3072, 4096])("may be signed with a key of %i bits", async (bits) => {
    const large = await makeKey("large", bits)
    setup.network.publish([publicJwk(large)])
    expect((await setup.verify(await token(large))).identity.unitId).toBe("456789")
  })

  test.each([
    ["github.com", githubCom, "/.well-known/jwks"],
    ["an enterprise, whose keys stay at the root of the host", enterpriseSlug, "/.well-known/jwks"],
    ["an enterprise server", ghes, "/_services/token/.well-known/jwks"],
    ["ghe.com", gheCom, "/.well-known/jwks"],
  ])("may come from %s", async (_, sample, keysPath) => {
    const jwksUrl = new URL(keysPath, sample.iss).href
    setup.network.publish([publicJwk(setup.key)], sample.iss, jwksUrl)
    const text = await token(setup.key, { claims: { ...sample, aud: AUDIENCE } })
    expect((await setup.verify(text, issuer({ url: sample.iss }))).identity.issuerUrl).toBe(sample.iss)
    expect(setup.network.urls).toEqual([`${sample.iss}/.well-known/openid-configuration`, jwksUrl])
  })

  test("is picked out of several issuers by its iss alone", async () => {
    const other = issuer({ name: "other", url: "https://issuer.example" })
    expect((await setup.verify(await token(setup.key), other, issuer())).issuer.name).toBe("github")
    expect(setup.network.urls).toEqual([DISCOVERY_URL, JWKS_URL])
  })

  test.each([
    ["a string", AUDIENCE, null],
    ["a list of one", [AUDIENCE], null],
    ["a string with a key's thumbprint", `${AUDIENCE}?jkt=${THUMBPRINT}`, THUMBPRINT],
    ["a list of one with a key's thumbprint", [`${AUDIENCE}?jkt=${THUMBPRINT}`], THUMBPRINT],
  ])("may have %s for its audience", async (_, aud, boundTo) => {
    expect((await setup.verifyClaims({ aud })).boundTo).toBe(boundTo)
  })

  test.each<readonly [string, Json]>([
    ["at the last moment, skew included", { exp: NOW_SECONDS - 59, iat: NOW_SECONDS - 359, nbf: NOW_SECONDS - 359 }],
    ["from a clock that is a minute fast", { iat: NOW_SECONDS + 60, nbf: NOW_SECONDS + 60, exp: NOW_SECONDS + 360 }],
    ["with the longest life of its family", { iat: NOW_SECONDS, exp: NOW_SECONDS + 600 }],
    ["without nbf", { nbf: undefined }],
    ["with a jti of 256 characters", { jti: "j".repeat(256) }],
    ["with claims nobody knows", { constructor: "x", toString: 1, nested: { a: [1, { b: null }] } }],
  ])("is taken %s", async (_, overrides) => {
    expect((await setup.verifyClaims(overrides)).identity.runId).toBe("10988497055")
  })

  test("without typ and x5t in its header is taken", async () => {
    expect(
      (await setup.verify(await token(setup.key, { header: { typ: undefined, x5t: undefined } }))).boundTo,
    ).toBeNull()
  })

  test("keeps a claim named __proto__ as a claim", async () => {
    const rawPayload = JSON.stringify(claims()).replace("{", '{"__proto__":{"environment":"evil"},')
    const { identity } = await setup.verify(await token(setup.key, { rawPayload }))
    expect(Object.getPrototypeOf(identity.claims)).toBeNull()
    expect(Object.keys(identity.claims)).toContain("__proto__")
  })

  test("is verified with keys that were fetched once", async () => {
    for (let index = 0; index < 5; index += 1) await setup.verifyClaims({ jti: `j${index}` })
    expect(setup.network.requests).toHaveLength(2)
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
    const error = await refusal(setup.verifyClaims({ iss }))
    expect(error.code).toBe("token_issuer_unknown")
    expect(error.detail).toContain(said)
    expect(setup.network.requests).toEqual([])
  })

  test.each([[undefined], [null], [1], [[ISSUER_URL]], [{ url: ISSUER_URL }]])(
    "that is %j is no issuer",
    async (iss) => {
      expect((await refusal(setup.verifyClaims({ iss }))).code).toBe("token_malformed")
      expect(setup.network.requests).toEqual([])
    },
  )

  test("of a family that nobody knows is the operator's mistake", async () => {
    expect((await refusal(setup.verifyClaims({}, issuer({ family: "constructor" })))).code).toBe(
      "configuration_invalid",
    )
  })

  test("whose keys cannot be had is unavailable, and the job is told when to come back", async () => {
    setup.network.answer(DISCOVERY_URL, new HttpError("timeout"))
    expect(await refusal(setup.verifyClaims({}))).toMatchObject({
      code: "issuer_unavailable",
      status: 503,
      retryAfterSeconds: 5,
    })
  })
})

test("a token that names no issuer is told so, and one of a family that is unknown says which issuer's", async () => {
  const nameless = await token(setup.key, { claims: claims({ iss: undefined }) })
  expect((await refusal(setup.verify(nameless))).detail).toBe("The subject token must name its issuer in iss.")
  const refused = await refusal(setup.verify(await token(setup.key), issuer({ family: "unheard-of" })))
  expect(refused.detail).toBe(
    "The issuer github has a family that this version of the broker does not know: update the broker.",
  )
})

describe("an issuer that sends no jti", () => {
  const config = issuer({ family: "without-jti" })

  test("has its tokens told apart by what was signed", async () => {
    const one = await setup.verifyClaims({ jti: undefined, run_id: "1" }, config)
    const two = await setup.verifyClaims({ jti: undefined, run_id: "2" }, config)
    expect(one.tokenKey).toBe(await sha256(`${ISSUER_URL}\0${one.digest}`))
    expect(two.tokenKey).not.toBe(one.tokenKey)
  })

  test("has no use for a jti that a token brings all the same", async () => {
    const one = await setup.verifyClaims({ jti: "same", run_id: "1" }, config)
    const two = await setup.verifyClaims({ jti: "same", run_id: "2" }, config)
    expect(two.tokenKey).not.toBe(one.tokenKey)
  })
})

test("two issuers' tokens with one jti are two tokens", async () => {
  const other = "https://issuer.example"
  setup.network.publish([publicJwk(setup.key)], other, `${other}/keys`)
  const mine = await setup.verifyClaims({})
  const others = await setup.verifyClaims({ iss: other }, issuer({ name: "other", url: other }))
  expect(others.tokenKey).not.toBe(mine.tokenKey)
})

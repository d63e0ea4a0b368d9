import { describe, expect, test } from "vitest"
import { AUDIENCE, issuer, type Json, refusal, THUMBPRINT } from "./fixture.ts"
import { setUpVerifier } from "./verifier-fixture.ts"

const setup = setUpVerifier()
const HOST = "broker.example"

describe("a call for which another audience counts, too", () => {
  test.each<readonly [string, Json]>([
    ["that audience", { aud: HOST }],
    ["that audience in a list of one", { aud: [HOST] }],
    ["the broker's audience", { aud: AUDIENCE }],
  ])("takes %s", async (_, overrides) => {
    expect(await setup.verifyAlsoFor(HOST, overrides)).toMatchObject({ boundTo: null })
  })

  test("takes a token that is bound by the broker's audience, and says so", async () => {
    const bound = { aud: `${AUDIENCE}?jkt=${THUMBPRINT}` }
    expect(await setup.verifyAlsoFor(HOST, bound)).toMatchObject({ boundTo: THUMBPRINT })
  })

  test.each<readonly [string, Json]>([
    ["that audience with a thumbprint", { aud: `${HOST}?jkt=${THUMBPRINT}` }],
    ["both", { aud: [HOST, AUDIENCE] }],
    ["that audience twice", { aud: [HOST, HOST] }],
    ["an audience that begins so", { aud: `${HOST}.attacker.example` }],
    ["no audience", { aud: undefined }],
    ["an empty list", { aud: [] }],
  ])("refuses %s", async (_, overrides) => {
    expect((await refusal(setup.verifyAlsoFor(HOST, overrides))).code).toBe("token_audience_mismatch")
  })

  test("takes only the issuer's own audience, where the organisation file says one", async () => {
    const fixed = issuer({ audience: "api://of-the-issuer" })
    expect((await refusal(setup.verifyAlsoFor(HOST, { aud: HOST }, fixed))).code).toBe("token_audience_mismatch")
    expect(await setup.verifyAlsoFor(HOST, { aud: "api://of-the-issuer" }, fixed)).toMatchObject({ boundTo: null })
  })
})

test("no other call takes it", async () => {
  expect((await refusal(setup.verifyClaims({ aud: HOST }))).code).toBe("token_audience_mismatch")
})

import { describe, expect, test } from "vitest"
import { requiredClaims } from "../../../broker/core/families/families.ts"
import { githubActions } from "../../../broker/issuers/github-actions/family.ts"
import type { ErrorCode } from "../../../broker/wire/error-codes.ts"
import { AUDIENCE, issuer, type Json, NOW_SECONDS, refusal, THUMBPRINT } from "./fixture.ts"
import { setUpVerifier } from "./verifier-fixture.ts"

const setup = setUpVerifier()

describe("a claim is refused", () => {
  test.each<readonly [string, Json, ErrorCode, string]>([
    ["no audience", { aud: undefined }, "token_audience_mismatch", "exactly one audience"],
    ["another audience", { aud: "https://other.example" }, "token_audience_mismatch", "https://other.example"],
    ["an empty audience", { aud: "" }, "token_audience_mismatch", AUDIENCE],
    ["the audience with a slash behind", { aud: `${AUDIENCE}/` }, "token_audience_mismatch", `${AUDIENCE}/`],
    ["the audience in capitals", { aud: AUDIENCE.toUpperCase() }, "token_audience_mismatch", AUDIENCE],
    ["an audience that begins as ours", { aud: `${AUDIENCE}.attacker.example` }, "token_audience_mismatch", "attacker"],
    [
      "ours among several audiences",
      { aud: [AUDIENCE, "https://other.example"] },
      "token_audience_mismatch",
      "exactly one audience",
    ],
    ["ours twice", { aud: [AUDIENCE, AUDIENCE] }, "token_audience_mismatch", "exactly one audience"],
    ["an empty list of audiences", { aud: [] }, "token_audience_mismatch", "exactly one audience"],
    ["a list in a list", { aud: [[AUDIENCE]] }, "token_audience_mismatch", "exactly one audience"],
    ["an audience that is true", { aud: true }, "token_audience_mismatch", "exactly one audience"],
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
      "exp must be later than its iat",
    ],
    [
      "an end at its beginning",
      { iat: NOW_SECONDS, exp: NOW_SECONDS },
      "token_claims_invalid",
      "exp must be later than its iat",
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
            `${name} must be a time`,
          ] as const,
      ),
    ),

    ["no jti", { jti: undefined }, "token_claims_invalid", "must have a jti of 1 to 256"],
    ["an empty jti", { jti: "" }, "token_claims_invalid", "must have a jti of 1 to 256"],
    ["a jti that is a number", { jti: 5 }, "token_claims_invalid", "must have a jti of 1 to 256"],
    ["a jti of 257 characters", { jti: "j".repeat(257) }, "token_claims_invalid", "must have a jti of 1 to 256"],

    ...requiredClaims(githubActions.facts).flatMap((name) => [
      [`no ${name}`, { [name]: undefined }, "token_claims_invalid", `claim ${name} is missing`] as const,
      [`a number for ${name}`, { [name]: 456789 }, "token_claims_invalid", `claim ${name} must be a string`] as const,
      [`null for ${name}`, { [name]: null }, "token_claims_invalid", `claim ${name} must be a string`] as const,
    ]),
    ["an empty environment", { environment: "" }, "token_claims_invalid", "environment"],
    [
      "a sub of another repository",
      { sub: "repo:evil/repo:ref:refs/heads/main" },
      "token_claims_invalid",
      "the claims sub and repository disagree",
    ],
  ])("%s", async (_, overrides, code, words) => {
    const error = await refusal(setup.verifyClaims(overrides))
    expect(error.code).toBe(code)
    expect(error.detail).toContain(words)
    expect(error.status).toBe(401)
  })

  test("a life longer than the organisation allows, which can only be less than the family's", async () => {
    const halfFamily = issuer({ maxTokenLifetimeSeconds: 299 })
    expect((await refusal(setup.verifyClaims({}, halfFamily))).code).toBe("token_lifetime_too_long")
    const more = issuer({ maxTokenLifetimeSeconds: 86_400 })
    expect((await refusal(setup.verifyClaims({ iat: NOW_SECONDS, exp: NOW_SECONDS + 601 }, more))).code).toBe(
      "token_lifetime_too_long",
    )
  })
})

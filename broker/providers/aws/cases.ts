import { CASE_SUBJECT, FOREIGN_TEXT, type ProviderCase } from "../case.ts"
import { granted, refused } from "./recorded.ts"

const connection = { region: "eu-west-1", accounts: ["111122223333"] }
const grant = { role: "arn:aws:iam::111122223333:role/ci/shop-deploy" }
const request = { connection, grant, ttlSeconds: 900 }

const values = {
  "access-key-id": { secret: true, env: "AWS_ACCESS_KEY_ID" },
  "secret-access-key": { secret: true, env: "AWS_SECRET_ACCESS_KEY" },
  "session-token": { secret: true, env: "AWS_SESSION_TOKEN" },
  region: { secret: false, env: "AWS_REGION" },
  "default-region": { secret: false, env: "AWS_DEFAULT_REGION" },
  "account-id": { secret: false },
} as const

const minted = {
  format: "aws-session",
  values,
  revocation: "expires-only",
  expiresAt: "2026-11-22T12:15:00.000Z",
} as const

const refusals: readonly ProviderCase[] = (
  [
    [403, "AccessDenied", "AccessDenied: the role's trust policy"],
    [400, "InvalidIdentityToken", "InvalidIdentityToken: AWS could not verify"],
    [400, "ExpiredTokenException", "the broker's clock"],
    [403, "IDPRejectedClaim", `The token's sub is ${CASE_SUBJECT}, its aud sts.amazonaws.com`],
    [400, "MalformedPolicyDocument", "session_policy"],
    [400, "PackedPolicyTooLarge", "too large"],
    [403, "RegionDisabledException", "region"],
    [400, "ValidationError", "maximum session duration"],
    [400, "SomethingNew", "CloudTrail"],
  ] as const
).map(([status, code, detailHolds]) => ({
  name: `takes ${code} for a refusal and does not ask again`,
  ...request,
  replies: [refused(status, code)],
  expect: { code: "provider_denied", detailHolds },
}))

const spoiled: readonly ProviderCase[] = (
  [
    ["credentials without a secret key", granted({ secretKey: "" })],
    ["credentials of another account", granted({ arn: "arn:aws:sts::999999999999:assumed-role/shop-deploy/session" })],
    [
      "credentials of another partition",
      granted({ arn: "arn:aws-cn:sts::111122223333:assumed-role/shop-deploy/session" }),
    ],
    ["credentials of another role", granted({ arn: "arn:aws:sts::111122223333:assumed-role/admin/session" })],
    ["credentials that have expired already", granted({ expiration: "2026-11-22T11:59:59Z" })],
    ["credentials that live longer than was asked", granted({ expiration: "2026-11-22T13:15:00Z" })],
    [
      "an answer that is not XML",
      { status: 200, headers: { "content-type": "text/html" }, body: `<!doctype html><p>${FOREIGN_TEXT}` },
    ],
    ["an answer without credentials", { status: 200, headers: { "content-type": "text/xml" }, body: "<x/>" }],
    ["an oversized answer", { failure: "too-large" }],
    ["a redirect", { failure: "redirect" }],
  ] as const
).map(([what, reply]) => ({
  name: `hands out nothing of ${what}`,
  ...request,
  replies: [reply],
  expect: { code: "provider_response_invalid" },
}))

const transient: readonly ProviderCase[] = (
  [
    ["throttling", refused(400, "Throttling")],
    ["a server error", refused(503, "ServiceUnavailable")],
    ["keys that STS could not fetch", refused(400, "IDPCommunicationError")],
    ["a slow answer", { failure: "timeout" }],
    ["a broken connection", { failure: "unreachable" }],
  ] as const
).map(([what, reply]) => ({
  name: `asks again after ${what}`,
  ...request,
  replies: [reply, granted()],
  expect: minted,
}))

/** Stories of STS: granted, refused, spoiled, and transient failures. */
export const cases: readonly ProviderCase[] = [
  {
    name: "hands out the role's session, at the region's own endpoint, for the time asked",
    ...request,
    replies: [granted()],
    calls: [
      {
        method: "POST",
        url: "https://sts.eu-west-1.amazonaws.com/",
        bodyHolds: [
          "Action=AssumeRoleWithWebIdentity",
          "Version=2011-06-15",
          "DurationSeconds=900",
          "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fci%2Fshop-deploy",
          "RoleSessionName=acme.shop%4010988497055.1",
          "WebIdentityToken=",
        ],
      },
    ],
    expect: minted,
  },
  {
    name: "hands out the session's values and no format when the grant wants variables",
    ...request,
    grant: { ...grant, as: "variables" },
    replies: [granted()],
    expect: { values, revocation: minted.revocation, expiresAt: minted.expiresAt },
  },
  {
    name: "narrows the session with the grant's policies",
    connection,
    grant: {
      ...grant,
      session_policy: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "s3:PutObject", Resource: "*" }],
      },
      policy_arns: ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    },
    ttlSeconds: 900,
    replies: [granted()],
    calls: [
      {
        method: "POST",
        url: "https://sts.eu-west-1.amazonaws.com/",
        bodyHolds: [
          "Policy=%7B%22Version%22%3A%222012-10-17%22",
          "PolicyArns.member.1.arn=arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FReadOnlyAccess",
        ],
      },
    ],
    expect: minted,
  },
  {
    name: "asks at the connection's own endpoint when it names one",
    connection: { ...connection, endpoint: "https://vpce-0example.sts.eu-west-1.vpce.amazonaws.com" },
    grant,
    ttlSeconds: 900,
    replies: [granted()],
    calls: [{ method: "POST", url: "https://vpce-0example.sts.eu-west-1.vpce.amazonaws.com/" }],
    expect: minted,
  },
  {
    name: "asks in the European Sovereign Cloud where its endpoints are, for its audience",
    connection: { ...connection, region: "eusc-de-east-1" },
    grant: { role: "arn:aws-eusc:iam::111122223333:role/ci/shop-deploy" },
    ttlSeconds: 900,
    replies: [refused(403, "IDPRejectedClaim")],
    calls: [{ method: "POST", url: "https://sts.eusc-de-east-1.amazonaws.eu/" }],
    expect: { code: "provider_denied", detailHolds: "its aud sts.amazonaws.eu" },
  },
  ...refusals,
  ...spoiled,
  ...transient,
  {
    name: "gives up on throttling that does not pass",
    ...request,
    replies: Array.from({ length: 5 }, () => refused(400, "Throttling")),
    expect: { code: "provider_throttled" },
  },
]

import { type ExpectedCall, FOREIGN_TEXT, type ProviderCase } from "../case.ts"
import { handOvers } from "./cases-hand-over.ts"
import {
  ACCOUNT,
  answer,
  apiRefused,
  connection,
  direct,
  exchanged,
  FEDERATED,
  HTML,
  impersonated,
  OF_ACCOUNT,
  POOL_PROVIDER,
  publicValues,
  request,
  stsRefused,
} from "./recorded.ts"

const exchange: ExpectedCall = {
  method: "POST",
  url: "https://sts.googleapis.com/v1/token",
  headers: { "content-type": "application/json" },
  bodyHolds: [
    '"grantType":"urn:ietf:params:oauth:grant-type:token-exchange"',
    `"audience":"//iam.googleapis.com/${POOL_PROVIDER}"`,
    '"scope":"https://www.googleapis.com/auth/iam"',
    '"requestedTokenType":"urn:ietf:params:oauth:token-type:access_token"',
    '"subjectTokenType":"urn:ietf:params:oauth:token-type:jwt"',
    '"subjectToken":"',
  ],
}

const generate: ExpectedCall = {
  method: "POST",
  url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`,
  headers: { "content-type": "application/json", authorization: `Bearer ${FEDERATED}` },
  bodyHolds: ['{"scope":["https://www.googleapis.com/auth/cloud-platform"],"lifetime":"900s"}'],
}

const minted = {
  values: {
    "access-token": { secret: true, env: "GOOGLE_OAUTH_ACCESS_TOKEN", value: OF_ACCOUNT },
    "cloudsdk-access-token": { secret: true, env: "CLOUDSDK_AUTH_ACCESS_TOKEN", value: OF_ACCOUNT },
    ...publicValues,
  },
  revocation: "expires-only",
  expiresAt: "2026-11-22T12:15:00.000Z",
} as const

const federated = (expiresAt: string) =>
  ({
    values: {
      "access-token": { secret: true, env: "GOOGLE_OAUTH_ACCESS_TOKEN", value: FEDERATED },
      "cloudsdk-access-token": { secret: true, env: "CLOUDSDK_AUTH_ACCESS_TOKEN", value: FEDERATED },
    },
    revocation: "expires-only",
    expiresAt,
  }) as const

const stsRefusals: readonly ProviderCase[] = (
  [
    [400, "invalid_target", "must have the project's number, not its id"],
    [400, "invalid_grant", "The provider's issuer must be exactly the broker's URL"],
    [400, "unauthorized_client", "attribute condition does not allow this job"],
    [400, "invalid_request", "127 bytes"],
    [400, "invalid_scope", "scopes"],
    [403, "access_denied", "VPC Service Controls"],
    [400, "something_new", "audit logs"],
    [400, "__proto__", "audit logs"],
  ] as const
).map(([status, code, detailHolds]) => ({
  name: `takes ${code} of STS for a refusal and does not ask again`,
  ...request,
  replies: [stsRefused(status, code)],
  expect: { code: "provider_denied", detailHolds },
}))

const iamRefusals: readonly ProviderCase[] = (
  [
    [403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", "roles/iam.workloadIdentityUser"],
    [403, "PERMISSION_DENIED", "SERVICE_DISABLED", "Enable iamcredentials.googleapis.com"],
    [403, "PERMISSION_DENIED", "SECURITY_POLICY_VIOLATED", "perimeter"],
    [404, "NOT_FOUND", undefined, "service account does not exist"],
    [400, "INVALID_ARGUMENT", undefined, "allowServiceAccountCredentialLifetimeExtension"],
    [400, "FAILED_PRECONDITION", undefined, "disabled"],
    [401, "UNAUTHENTICATED", undefined, "federated token"],
    [400, "SOMETHING_NEW", undefined, "audit logs"],
  ] as const
).map(([status, code, reason, detailHolds]) => ({
  name: `takes ${reason ?? code} of IAM for a refusal and does not ask again`,
  ...request,
  replies: [exchanged(), apiRefused(status, code, reason)],
  expect: { code: "provider_denied", detailHolds },
}))

const spoiledExchanges: readonly ProviderCase[] = (
  [
    ["no token", exchanged({ access_token: undefined })],
    ["a token that no header can hold", exchanged({ access_token: "ya29\r\nx: y" })],
    ["a token of another type", exchanged({ token_type: "N_A" })],
    ["an access boundary's token", exchanged({ issued_token_type: "urn:ietf:params:oauth:token-type:jwt" })],
    ["no end", exchanged({ expires_in: undefined })],
    ["an end now", exchanged({ expires_in: 0 })],
    ["an end that is no whole number", exchanged({ expires_in: 298.5 })],
    ["an end in a day", exchanged({ expires_in: 86_400 })],
    ["no JSON", HTML],
    ["a token longer than any", exchanged({ access_token: "y".repeat(16_385) })],
    ["more than we read", { failure: "too-large" }],
    ["a redirect", { failure: "redirect" }],
  ] as const
).map(([what, reply]) => ({
  name: `goes no further with an exchange that answers ${what}`,
  ...request,
  replies: [reply],
  expect: { code: "provider_response_invalid" },
}))

const spoiledTokens: readonly ProviderCase[] = (
  [
    ["no token", impersonated({ accessToken: undefined })],
    ["a token that no variable should hold", impersonated({ accessToken: "ya29.a\nb" })],
    ["no end", impersonated({ expireTime: undefined })],
    ["an end that is no time", impersonated({ expireTime: "soon" })],
    ["an end that is over", impersonated({ expireTime: "2026-11-22T11:59:59Z" })],
    ["an end later than was asked", impersonated({ expireTime: "2026-11-22T13:00:00Z" })],
    ["no JSON", HTML],
    ["JSON that is no object", answer(200, "ya29.c.token")],
    ["more than we read", { failure: "too-large" }],
    ["a redirect", { failure: "redirect" }],
  ] as const
).map(([what, reply]) => ({
  name: `hands out nothing of an impersonation that answers ${what}`,
  ...request,
  replies: [exchanged(), reply],
  expect: { code: "provider_response_invalid" },
}))

const transient: readonly ProviderCase[] = (
  [
    ["throttling by STS", [stsRefused(429, "quota_exceeded"), exchanged(), impersonated()]],
    ["throttling by STS under another status", [stsRefused(400, "quota_exceeded"), exchanged(), impersonated()]],
    ["a failure of STS", [stsRefused(500, "server_error"), exchanged(), impersonated()]],
    ["a slow STS", [{ failure: "timeout" }, exchanged(), impersonated()]],
    ["a broken connection to STS", [{ failure: "unreachable" }, exchanged(), impersonated()]],
    ["throttling by IAM", [exchanged(), apiRefused(429, "RESOURCE_EXHAUSTED"), impersonated()]],
    ["a failure of IAM", [exchanged(), apiRefused(503, "UNAVAILABLE"), impersonated()]],
    ["a slow IAM", [exchanged(), { failure: "timeout" }, impersonated()]],
  ] as const
).map(([what, replies]) => ({ name: `asks again after ${what}`, ...request, replies, expect: minted }))

/** Stories of STS and of the IAM Service Account Credentials API. */
export const cases: readonly ProviderCase[] = [
  {
    name: "hands out a service account's token, for the scopes and the time asked, and logs in for nothing more than that",
    ...request,
    replies: [exchanged(), impersonated()],
    calls: [exchange, generate],
    expect: minted,
  },
  {
    name: "narrows the token to the grant's scopes, and goes through its delegates",
    connection,
    grant: {
      service_account: ACCOUNT,
      scopes: ["https://www.googleapis.com/auth/devstorage.read_only", "https://www.googleapis.com/auth/pubsub"],
      delegates: ["first@acme-jump.iam.gserviceaccount.com", "second@acme-jump.iam.gserviceaccount.com"],
    },
    ttlSeconds: 3_600,
    replies: [exchanged(), impersonated({ expireTime: "2026-11-22T13:00:00.123456789Z" })],
    calls: [
      exchange,
      {
        ...generate,
        bodyHolds: [
          '"delegates":["projects/-/serviceAccounts/first@acme-jump.iam.gserviceaccount.com","projects/-/serviceAccounts/second@acme-jump.iam.gserviceaccount.com"]',
          '"scope":["https://www.googleapis.com/auth/devstorage.read_only","https://www.googleapis.com/auth/pubsub"]',
          '"lifetime":"3600s"',
        ],
      },
    ],
    expect: { ...minted, expiresAt: "2026-11-22T13:00:00.123Z" },
  },
  {
    name: "asks at the connection's own endpoints, and names the pool as ever",
    connection: {
      ...connection,
      sts_endpoint: "https://sts-ci.p.googleapis.com",
      iam_credentials_endpoint: "https://iamcredentials-ci.p.googleapis.com",
    },
    grant: request.grant,
    ttlSeconds: 900,
    replies: [exchanged(), impersonated()],
    calls: [
      { ...exchange, url: "https://sts-ci.p.googleapis.com/v1/token" },
      {
        ...generate,
        url: `https://iamcredentials-ci.p.googleapis.com/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`,
      },
    ],
    expect: minted,
  },
  {
    name: "hands out the federated token itself, which ends before the grant's ttl",
    ...direct,
    replies: [exchanged()],
    calls: [{ ...exchange, bodyHolds: ['"scope":"https://www.googleapis.com/auth/cloud-platform"'] }],
    expect: federated("2026-11-22T12:04:58.000Z"),
  },
  {
    name: "hands out no federated token that lives longer than the grant's ttl",
    ...direct,
    replies: [exchanged({ expires_in: 3_599 })],
    expect: { code: "provider_response_invalid", detailHolds: "name a service_account, or raise the ttl to 1h" },
  },
  {
    name: "hands out a federated token of an hour for a ttl of an hour",
    ...direct,
    ttlSeconds: 3_600,
    replies: [exchanged({ expires_in: 3_599 })],
    expect: federated("2026-11-22T12:59:59.000Z"),
  },
  {
    name: "takes a refusal of STS in Google's own form for what it says",
    ...direct,
    replies: [apiRefused(403, "PERMISSION_DENIED", "SERVICE_DISABLED")],
    expect: { code: "provider_denied", detailHolds: "Enable sts.googleapis.com" },
  },
  {
    name: "takes a refusal that is not JSON for a refusal",
    ...request,
    replies: [exchanged(), { status: 403, body: `<!doctype html><p>${FOREIGN_TEXT}` }],
    expect: { code: "provider_denied", detailHolds: "Check the connection's endpoints" },
  },
  ...handOvers,
  ...stsRefusals,
  ...iamRefusals,
  ...spoiledExchanges,
  ...spoiledTokens,
  ...transient,
  {
    name: "gives up on throttling that does not pass",
    ...request,
    replies: Array.from({ length: 5 }, () => stsRefused(429, "quota_exceeded")),
    expect: { code: "provider_throttled" },
  },
]

import { CASE_SUBJECT, FOREIGN_TEXT, type ProviderCase } from "../../case.ts"
import { askingBy, handingOutNothing, storeFailures } from "../../case-store.ts"
import { wholeStories } from "../../case-whole.ts"
import { granted, loggedIn, refused, refusedInHeader, refusedWith, TRANSIENT } from "../recorded.ts"
import { ARN, about, call, connection, json, login, minted, request, secret, VERSION } from "./recorded.ts"

const versions: readonly ProviderCase[] = [
  {
    name: "reads the version that a staging label is on",
    ...about("shop/stripe:AWSPREVIOUS"),
    replies: [loggedIn, secret({ VersionStages: ["AWSPREVIOUS"] })],
    calls: [login, call({ SecretId: "shop/stripe", VersionStage: "AWSPREVIOUS" })],
    expect: minted,
  },
  {
    name: "reads the version that an id names, whatever label is on it",
    ...about(`shop/stripe:${VERSION}`),
    replies: [loggedIn, secret({ VersionStages: undefined })],
    calls: [login, call({ SecretId: "shop/stripe", VersionId: VERSION })],
    expect: minted,
  },
]

const fields: readonly ProviderCase[] = [
  {
    name: "reads a secret once for all of its fields",
    ...request,
    grant: { read: { API_KEY: "shop/stripe#key", PORT: "shop/stripe#port" } },
    replies: [loggedIn, json({ key: "sk_live_1", port: 5432 })],
    expect: {
      ...minted,
      values: { ...minted.values, PORT: { secret: true, env: "PORT", value: "5432" } },
    },
  },
]

const binary: readonly ProviderCase[] = [
  {
    name: "hands a binary secret over as a file",
    ...request,
    grant: { read: { KEYSTORE: { from: "shop/keystore", as: "file", mode: "0400" } } },
    replies: [loggedIn, secret({ SecretString: undefined, SecretBinary: "/+4AAQ==" }, "shop/keystore")],
    expect: {
      ...minted,
      values: {
        KEYSTORE: { secret: true, env: "KEYSTORE", file: { mode: "0400", encoding: "base64" }, value: "/+4AAQ==" },
      },
    },
  },
  {
    name: "hands a binary secret over as text where it is text",
    ...request,
    replies: [loggedIn, secret({ SecretString: undefined, SecretBinary: btoa("sk_live_1") })],
    expect: minted,
  },
]

const refusals: readonly ProviderCase[] = (
  [
    ["ResourceNotFoundException", 400, "secret_not_found", "shop/stripe does not exist"],
    // Other servers say the same with other statuses, and AWS with the name of its model before it.
    ["com.amazonaws.secretsmanager#ResourceNotFoundException", 404, "secret_not_found", "shop/stripe does not exist"],
    ["InvalidParameterException", 400, "secret_not_found", "valid name or version"],
    ["ValidationException", 400, "secret_not_found", "valid name or version"],
    ["InvalidRequestException", 400, "secret_unusable", "shop/stripe cannot be read in its current state"],
    ["DecryptionFailure", 400, "secret_unusable", "its KMS key"],
    ["AccessDeniedException", 400, "provider_denied", "for shop/stripe: the connection's role needs secretsmanager"],
    ["ExpiredTokenException", 400, "provider_denied", "the broker's clock"],
    ["InvalidSignatureException", 400, "provider_denied", "the broker's clock"],
    ["UnrecognizedClientException", 400, "provider_denied", "does not know the session"],
    ["SomethingNewException", 400, "provider_denied", "CloudTrail"],
    ["constructor", 400, "provider_denied", "CloudTrail"],
  ] as const
).map(([type, status, code, detailHolds]) => ({
  name: `takes ${type} with status ${status} for ${code}, and does not ask again`,
  ...request,
  replies: [loggedIn, refusedWith(status, type)],
  expect: { code, detailHolds },
}))

const spoiled = handingOutNothing(request, loggedIn)(
  ["a secret of another name", secret({ Name: "shop/other" })],
  ["a secret whose ARN is of another name", secret({ ARN: `${ARN}shop/other-AbCd12` })],
  ["a secret whose name goes on", secret({ ARN: `${ARN}shop/stripe-live-AbCd12` })],
  ["a secret of another account", secret({ ARN: `${ARN}shop/stripe-AbCd12`.replace("111122223333", "999999999999") })],
  ["a secret of another region", secret({ ARN: `${ARN}shop/stripe-AbCd12`.replace("eu-west-1", "us-east-1") })],
  ["a version that is not the current one", secret({ VersionStages: ["AWSPREVIOUS"] })],
  ["a secret without a value", secret({ SecretString: undefined })],
  ["a secret with two values", secret({ SecretBinary: "AA==" })],
  ["a binary value that is no base64", secret({ SecretString: undefined, SecretBinary: `"${FOREIGN_TEXT}"` })],
  ["an answer without a version", secret({ VersionId: undefined })],
  ["an answer without an ARN", secret({ ARN: undefined })],
)

const failures = storeFailures({
  ...TRANSIENT,
  asking: askingBy({ connection }),
  locator: "shop/stripe",
  before: [loggedIn],
  found: (text) => secret({ SecretString: text }),
  binary: secret({ SecretString: undefined, SecretBinary: "/+4AAQ==" }),
  picksFields: true,
})

const whole = wholeStories({
  way: { connection },
  from: "shop/stripe",
  before: [loggedIn],
  found: json,
  calls: [login, call({ SecretId: "shop/stripe" })],
  denied: refusedWith(400, "AccessDeniedException"),
  missing: refusedWith(400, "ResourceNotFoundException"),
})

const elsewhere: readonly ProviderCase[] = (
  [
    ["China", "aws-cn", "cn-north-1", "amazonaws.com.cn"],
    ["the European Sovereign Cloud", "aws-eusc", "eusc-de-east-1", "amazonaws.eu"],
  ] as const
).map(([where, partition, region, suffix]) => ({
  name: `asks in ${where} where its endpoints are`,
  ...request,
  connection: { region, role: `arn:${partition}:iam::111122223333:role/daypass-read` },
  replies: [
    granted({ arn: `arn:${partition}:sts::111122223333:assumed-role/daypass-read/session` }),
    secret({ ARN: `arn:${partition}:secretsmanager:${region}:111122223333:secret:shop/stripe-AbCd12` }),
  ],
  calls: [
    { method: "POST", url: `https://sts.${region}.${suffix}/` },
    { method: "POST", url: `https://secretsmanager.${region}.${suffix}/` },
  ],
  expect: minted,
}))

/** Stories of Secrets Manager: read, refused, spoiled, unusable, and transient failures. */
export const cases: readonly ProviderCase[] = [
  {
    name: "reads a secret with a session of the connection's role, signed as AWS wants it",
    ...request,
    replies: [loggedIn, secret()],
    calls: [
      login,
      {
        ...call({ SecretId: "shop/stripe" }),
        headers: {
          ...call({}).headers,
          "x-amz-date": "20261122T120000Z",
          "x-amz-security-token": "FwoGZXIvYXdzEXAMPLE+/==",
          // As botocore signs this very request.
          authorization:
            "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLEEXAMPLE00/20261122/eu-west-1/secretsmanager/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=06a2f06d91f99fc7c9fec85321ee2cb512c2ccaa01f1e0006b8daac50571ea8f",
        },
      },
    ],
    expect: minted,
  },
  {
    name: "reads several secrets with one login, each in a call of its own",
    ...request,
    grant: { read: { API_KEY: "shop/stripe", DB: "shop/db", AGAIN: "shop/stripe" } },
    replies: [loggedIn, secret(), secret({ SecretString: "hunter2" }, "shop/db")],
    calls: [login, call({ SecretId: "shop/stripe" }), call({ SecretId: "shop/db" })],
    expect: {
      ...minted,
      values: {
        ...minted.values,
        DB: { secret: true, env: "DB", value: "hunter2" },
        AGAIN: { secret: true, env: "AGAIN", value: "sk_live_1" },
      },
    },
  },
  {
    name: "asks at the connection's own endpoints, with the region's signature",
    ...request,
    connection: {
      ...connection,
      endpoint: "https://vpce-0example.secretsmanager.eu-west-1.vpce.amazonaws.com",
      sts_endpoint: "https://vpce-0example.sts.eu-west-1.vpce.amazonaws.com",
    },
    replies: [loggedIn, secret()],
    calls: [
      { method: "POST", url: "https://vpce-0example.sts.eu-west-1.vpce.amazonaws.com/" },
      { method: "POST", url: "https://vpce-0example.secretsmanager.eu-west-1.vpce.amazonaws.com/" },
    ],
    expect: minted,
  },
  ...elsewhere,
  ...versions,
  ...fields,
  ...binary,
  ...refusals,
  {
    name: "tells a refusal by its header where the body does not say",
    ...request,
    replies: [loggedIn, refusedInHeader(400, "ResourceNotFoundException")],
    expect: { code: "secret_not_found" },
  },
  {
    name: "hands out nothing when the role does not trust the broker, and says what its trust must name",
    ...request,
    replies: [refused(403, "AccessDenied")],
    expect: { code: "provider_denied", detailHolds: `sub is ${CASE_SUBJECT}, its aud daypass-aws-stores` },
  },
  {
    name: "hands out nothing of a session of another role",
    ...request,
    replies: [granted()],
    expect: { code: "provider_response_invalid" },
  },
  {
    name: "hands out nothing when one of several secrets is not there",
    ...request,
    grant: { read: { API_KEY: "shop/stripe", DB: "shop/db" } },
    replies: [loggedIn, secret(), refusedWith(400, "ResourceNotFoundException")],
    expect: { code: "secret_not_found", detailHolds: "shop/db" },
  },
  ...spoiled,
  ...failures,
  ...whole,
]

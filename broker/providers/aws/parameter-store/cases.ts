import { CASE_SUBJECT, type ExpectedCall, type ProviderCase } from "../../case.ts"
import { askingBy, handingOutNothing, storeFailures } from "../../case-store.ts"
import { answered, loggedIn, refused, refusedWith, TRANSIENT } from "../recorded.ts"
import { wholeCases } from "./cases-whole.ts"
import { ARN, about, connection, found, login, NAME, one, parameter, request } from "./recorded.ts"

const call = (...names: readonly string[]): ExpectedCall => ({
  method: "POST",
  url: "https://ssm.eu-west-1.amazonaws.com/",
  headers: { "content-type": "application/x-amz-json-1.1", "x-amz-target": "AmazonSSM.GetParameters" },
  bodyHolds: [JSON.stringify({ Names: names, WithDecryption: true })],
})

const value = (env: string, said: string, secret = true) => ({ [env]: { secret, env, value: said } })

const minted = (values: Readonly<Record<string, { secret: boolean; env: string; value: string }>>) => ({
  values,
  revocation: "expires-only" as const,
  expiresAt: null,
})

const password = minted(value("PASSWORD", "hunter2"))

const TWELVE = Array.from({ length: 12 }, (_, index) => `/shop/key-${index + 1}`)

const batches: readonly ProviderCase[] = [
  {
    name: "reads twelve parameters with one login and two calls, whatever the order of the answers",
    ...request,
    grant: { read: Object.fromEntries(TWELVE.map((name, index) => [`KEY_${index + 1}`, name])) },
    replies: [
      loggedIn,
      found(
        ...TWELVE.slice(0, 10)
          .map((name) => parameter(name, { Value: `of ${name}` }))
          .reverse(),
      ),
      found(
        ...TWELVE.slice(10)
          .map((name) => parameter(name, { Value: `of ${name}` }))
          .reverse(),
      ),
    ],
    calls: [login, call(...TWELVE.slice(0, 10)), call(...TWELVE.slice(10))],
    expect: minted(Object.assign({}, ...TWELVE.map((name, index) => value(`KEY_${index + 1}`, `of ${name}`)))),
  },
  {
    name: "asks for two versions of a parameter in two calls",
    ...request,
    grant: { read: { PASSWORD: NAME, OLD: `${NAME}:3`, LIVE: `${NAME}:live` } },
    replies: [
      loggedIn,
      one(),
      one({ Value: "hunter1", Version: 3, Selector: ":3" }),
      one({ Value: "hunter0", Version: 2, Selector: ":live" }),
    ],
    calls: [login, call(NAME), call(`${NAME}:3`), call(`${NAME}:live`)],
    expect: minted({ ...value("PASSWORD", "hunter2"), ...value("OLD", "hunter1"), ...value("LIVE", "hunter0") }),
  },
]

const PLAIN = { read: { PASSWORD: NAME, REGION: "region", ZONES: "/shop/zones" } }
const plain = found(
  parameter("region", { Type: "String", Value: "eu-west-1" }),
  parameter("/shop/zones", { Type: "StringList", Value: "a,b" }),
  parameter(NAME),
)

const types: readonly ProviderCase[] = ([false, true] as const).map((isPublic) => ({
  name: isPublic
    ? "takes plain types for public where the connection says so, and a SecureString for secret all the same"
    : "takes every type for secret where the connection says nothing",
  ...request,
  connection: isPublic ? { ...connection, plain_is_public: true } : connection,
  grant: PLAIN,
  replies: [loggedIn, plain],
  expect: minted({
    ...value("PASSWORD", "hunter2"),
    ...value("REGION", "eu-west-1", !isPublic),
    ...value("ZONES", "a,b", !isPublic),
  }),
}))

const refusals: readonly ProviderCase[] = (
  [
    ["AccessDeniedException", "provider_denied", `for ${NAME}: the connection's role needs ssm:GetParameters`],
    ["InvalidKeyId", "secret_unusable", "its KMS key"],
    ["ValidationException", "secret_not_found", "not a valid name for Parameter Store"],
    ["ExpiredTokenException", "provider_denied", "the broker's clock"],
    ["UnrecognizedClientException", "provider_denied", "does not know the session"],
    ["com.amazonaws.ssm#SomethingNewException", "provider_denied", "CloudTrail"],
  ] as const
).map(([type, code, detailHolds]) => ({
  name: `takes ${type} for ${code}, and does not ask again`,
  ...request,
  replies: [loggedIn, refusedWith(400, type)],
  expect: { code, detailHolds },
}))

const TWO = { ...request, grant: { read: { PASSWORD: NAME, KEY: "/shop/key" } } }

const named: readonly ProviderCase[] = [
  {
    name: "says which of several parameters the role may not read, where AWS says it",
    ...TWO,
    replies: [loggedIn, refusedWith(400, "AccessDeniedException", `on resource: ${ARN}/shop/key because`)],
    expect: { code: "provider_denied", detailHolds: "AccessDeniedException for /shop/key: the connection's role" },
  },
  {
    name: "names all of a call where AWS does not say which of them it refuses",
    ...TWO,
    replies: [loggedIn, refusedWith(400, "AccessDeniedException", `on resource: ${ARN}/shop/key-of-another because`)],
    expect: { code: "provider_denied", detailHolds: `for one of ${NAME}, /shop/key: the connection's role` },
  },
  {
    name: "names the parameter that is not there, and hands out nothing of the others",
    ...TWO,
    replies: [loggedIn, answered({ Parameters: [parameter(NAME)], InvalidParameters: ["/shop/key"] })],
    expect: { code: "secret_not_found", detailHolds: "/shop/key does not exist" },
  },
  {
    name: "names the version that is not there",
    ...about(`${NAME}:9`),
    replies: [loggedIn, answered({ Parameters: [], InvalidParameters: [`${NAME}:9`] })],
    expect: { code: "secret_not_found", detailHolds: `${NAME}:9 does not exist` },
  },
]

const spoiled = handingOutNothing(request, loggedIn)(
  ["an answer without the parameter", found()],
  ["an answer with one more parameter", found(parameter(NAME), parameter("/shop/key"))],
  ["the same parameter twice", found(parameter(NAME), parameter(NAME))],
  ["a parameter of another name", found(parameter("/shop/db/other"))],
  ["a parameter whose ARN is of another name", one({ ARN: `${ARN}/shop/db/other` })],
  ["a parameter of another account", one({ ARN: `${ARN}${NAME}`.replace("111122223333", "999999999999") })],
  ["a parameter of another region", one({ ARN: `${ARN}${NAME}`.replace("eu-west-1", "us-east-1") })],
  ["a version that nobody asked for", one({ Selector: ":3" })],
  ["a parameter of a type that is not known", one({ Type: "Ciphertext" })],
  ["a parameter without a value", one({ Value: undefined })],
  ["a parameter that is missing and that nobody asked for", answered({ InvalidParameters: ["/shop/other"] })],
)

const other: readonly ProviderCase[] = (
  [
    [`${NAME}:3`, one({ Version: 4, Selector: ":3" })],
    [`${NAME}:live`, one({ Selector: ":previous" })],
  ] as const
).map(([locator, reply]) => ({
  name: `hands out nothing of another version than ${locator}`,
  ...about(locator),
  replies: [loggedIn, reply],
  expect: { code: "provider_response_invalid", detailHolds: "another version" },
}))

const failures = storeFailures({
  ...TRANSIENT,
  asking: askingBy({ connection }),
  locator: NAME,
  before: [loggedIn],
  found: (text) => one({ Value: text }),
  picksFields: true,
})

/** Stories of Parameter Store: read, refused, spoiled, unusable, and transient failures. */
export const cases: readonly ProviderCase[] = [
  {
    name: "reads a parameter with a session of the connection's role, signed as AWS wants it",
    ...request,
    replies: [loggedIn, one()],
    calls: [
      login,
      {
        ...call(NAME),
        headers: {
          ...call().headers,
          // As botocore signs this very request.
          authorization:
            "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLEEXAMPLE00/20261122/eu-west-1/ssm/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=a9675deba51e9622e348a46d8626a61ff817cfcc3ea16b00a97e8281565bf6fc",
        },
      },
    ],
    expect: password,
  },
  {
    name: "takes a version for what was asked where the server says the number alone",
    ...about(`${NAME}:4`),
    replies: [loggedIn, one()],
    expect: password,
  },
  {
    name: "reads a parameter once for all of its fields",
    ...request,
    grant: { read: { PASSWORD: `${NAME}#password`, PORT: `${NAME}#port` } },
    replies: [loggedIn, one({ Value: '{"password":"hunter2","port":5432}' })],
    expect: minted({ ...value("PASSWORD", "hunter2"), ...value("PORT", "5432") }),
  },
  ...batches,
  ...types,
  ...refusals,
  ...named,
  {
    name: "hands out nothing when the role does not trust the broker, and says what its trust must name",
    ...request,
    replies: [refused(403, "AccessDenied")],
    expect: { code: "provider_denied", detailHolds: `sub is ${CASE_SUBJECT}, its aud daypass-aws-stores` },
  },
  ...spoiled,
  ...other,
  ...failures,
  ...wholeCases,
]

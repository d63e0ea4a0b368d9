import { CASE_SUBJECT, FOREIGN_TEXT, type ProviderCase, type Reply } from "../case.ts"
import { askingBy, handingOutNothing, minted, refusing, storeFailures } from "../case-store.ts"
import { wholeStories } from "../case-whole.ts"

const PROJECT = "6f0b9c2e-1d34-4a57-8e90-b1c2d3e4f506"
const connection = { identity_id: "5d0e4c1b-7a62-4f39-8b1d-2c9e6a0f7d34" }
const PASSWORD = `${PROJECT}/prod/payments/eu/DB_PASSWORD`
const asking = askingBy({ connection })
const request = asking(PASSWORD)

const json = (body: unknown, status = 200): Reply => ({ status, body: JSON.stringify(body) })
const loggedIn = (change: object = {}): Reply =>
  json({
    accessToken: "canary-of-the-login",
    expiresIn: 7200,
    accessTokenMaxTTL: 7200,
    tokenType: "Bearer",
    ...change,
  })
const secret = (change: object = {}) => ({
  id: "s1",
  workspace: PROJECT,
  environment: "prod",
  secretPath: "/payments/eu",
  secretKey: "DB_PASSWORD",
  type: "shared",
  version: 3,
  secretValue: "the password",
  secretValueHidden: false,
  secretComment: FOREIGN_TEXT,
  ...change,
})
const found = (change: object = {}): Reply => json({ secret: secret(change) })
const refused = (status: number, error: string): Reply =>
  json({ reqId: "req-1", statusCode: status, message: FOREIGN_TEXT, error }, status)

const LOGIN_CALL = {
  method: "POST",
  url: "https://app.infisical.com/api/v1/auth/oidc-auth/login",
  headers: { "content-type": "application/json" },
  bodyHolds: [`"identityId":"${connection.identity_id}"`, '"jwt":"header.canary'],
}
const readCall = (name: string, environment: string, path: string, isExpanded = false) => ({
  method: "GET",
  url: `https://app.infisical.com/api/v4/secrets/${name}?projectId=${PROJECT}&environment=${environment}&secretPath=${path}&type=shared&viewSecretValue=true&expandSecretReferences=${isExpanded}&include_imports=false`,
  headers: { authorization: "Bearer canary-of-the-login" },
})

const logins: readonly ProviderCase[] = (
  [
    [400, "BadRequest", "set ALLOW_INTERNAL_IP_CONNECTIONS=true"],
    [401, "UnauthorizedError", "its audiences with the connection's audience"],
    [
      403,
      "ForbiddenRequestError",
      `the identity has another subject. It must be exactly the grant's subject: ${CASE_SUBJECT}`,
    ],
    [404, "NotFound", "machine identity with the connection's identity_id"],
    [422, "ValidationFailure", "identity_id"],
  ] as const
).map(([status, error, detailHolds]) => ({
  name: `takes ${status} at the login for a refusal, and does not ask again`,
  ...request,
  replies: [refused(status, error)],
  expect: { code: "provider_denied", detailHolds: detailHolds.replace(/^the/, "The") },
}))

const refusals = refusing(request, loggedIn())(
  ["a secret that it may not read", refused(403, "PermissionDenied"), "provider_denied", `may not read ${PASSWORD}`],
  ["a login that has expired", refused(403, "TokenError"), "provider_denied", "has expired. Compare the clocks"],
  ["a login that has ended", refused(401, "UnauthorizedError"), "provider_denied", "the limit of uses"],
  ["a secret that is not there", refused(404, "NotFound"), "secret_not_found", "does not exist"],
  ["a server without version 4", refused(404, "Not Found"), "provider_denied", "version 4 of the API"],
  ["a hidden value", found({ secretValueHidden: true, secretValue: FOREIGN_TEXT }), "secret_unusable", "is hidden"],
  [
    "a reference to a secret of the same folder",
    found({ secretValue: `${FOREIGN_TEXT}\${HOST}` }),
    "secret_unusable",
    "resolve_references: true",
  ],
  [
    "a reference to a secret of another folder",
    found({ secretValue: `\${prod.bank-1.eu.KEY}` }),
    "secret_unusable",
    "by its own locator",
  ],
)

const spoiled = handingOutNothing(request)(
  ["a login without a token", [loggedIn({ accessToken: undefined })]],
  ["a login whose token would break a header", [loggedIn({ accessToken: "canary\r\nx: y" })]],
  ["a login of unknown length", [loggedIn({ expiresIn: undefined })]],
  ["a login that is over", [loggedIn({ expiresIn: -1 })]],
  ["a login of another kind", [loggedIn({ tokenType: "DPoP" })]],
  ["a secret of another project", [loggedIn(), found({ workspace: "another" })]],
  ["a secret of another environment", [loggedIn(), found({ environment: "dev" })]],
  ["a secret of another folder", [loggedIn(), found({ secretPath: "/" })]],
  ["another secret", [loggedIn(), found({ secretKey: "db_password" })]],
  ["somebody's personal secret", [loggedIn(), found({ type: "personal" })]],
  ["a secret without a value", [loggedIn(), found({ secretValue: undefined })]],
  ["a secret that may be hidden", [loggedIn(), found({ secretValueHidden: undefined })]],
)

const failures = storeFailures({
  asking,
  locator: PASSWORD,
  before: [loggedIn()],
  found: (secretValue) => found({ secretValue }),
  picksFields: true,
  throttled: refused(429, "RateLimitExceeded"),
  failing: [["a failure", refused(500, "InternalServerError")]],
})

const FOLDER = `${PROJECT}/prod/payments/eu/`
const folder = { ...request, grant: { read_all: { from: FOLDER, prefix: "DB_" } } }
const listed = (...secrets: readonly object[]): Reply =>
  json({ secrets, imports: [{ secretPath: "/bank", secrets: [secret({ secretValue: FOREIGN_TEXT })] }] })
const whole = [
  ...wholeStories({
    way: { connection },
    from: FOLDER,
    before: [loggedIn()],
    found: (values) =>
      listed(...Object.entries(values).map(([secretKey, secretValue]) => secret({ secretKey, secretValue }))),
    calls: [
      LOGIN_CALL,
      {
        ...readCall("", "prod", "%2Fpayments%2Feu"),
        url: `https://app.infisical.com/api/v4/secrets?projectId=${PROJECT}&environment=prod&secretPath=%2Fpayments%2Feu&recursive=false&includeImports=false&includePersonalOverrides=false&viewSecretValue=true&expandSecretReferences=false&include_imports=false`,
      },
    ],
    denied: refused(403, "PermissionDenied"),
    missing: refused(404, "NotFound"),
  }),
  ...refusing(folder, loggedIn())(
    [
      "a hidden value among others",
      listed(secret({ secretKey: "A" }), secret({ secretValueHidden: true })),
      "secret_unusable",
      "is hidden",
    ],
    [
      "a reference in any secret",
      listed(secret({ secretValue: `\${prod.bank.KEY}` })),
      "secret_unusable",
      `A secret of ${FOLDER} contains`.replace("A ", "a "),
    ],
  ),
  ...handingOutNothing(folder, loggedIn())(
    ["a secret of a folder below", listed(secret({ secretPath: "/payments/eu/old" }))],
    ["a secret of another environment among others", listed(secret(), secret({ environment: "dev" }))],
    ["somebody's personal secret among others", listed(secret({ type: "personal" }))],
  ),
]

/** Stories of Infisical: read a secret at a time, refused, hidden, spoiled, and transient failures. */
export const cases: readonly ProviderCase[] = [
  {
    name: "logs in once, and asks for each secret once, shared and not imported",
    ...asking(PASSWORD, `${PROJECT}/dev/HOST`, `${PROJECT}/prod/KEYS#old`, `${PROJECT}/prod/KEYS#n`),
    replies: [
      loggedIn(),
      found(),
      found({ environment: "dev", secretPath: "/", secretKey: "HOST", secretValue: "db" }),
      found({ secretPath: "/", secretKey: "KEYS", secretValue: '{"old":"k1","n":20261}' }),
    ],
    calls: [
      LOGIN_CALL,
      readCall("DB_PASSWORD", "prod", "%2Fpayments%2Feu"),
      readCall("HOST", "dev", "%2F"),
      readCall("KEYS", "prod", "%2F"),
    ],
    expect: minted("the password", "db", "k1", "20261"),
  },
  {
    name: "asks where the connection's own URL says, takes a login without an end, and hands over a file",
    connection: { ...connection, url: "https://infisical.example.com", projects: [PROJECT] },
    grant: { read: { KEY_FILE: { from: PASSWORD, as: "file", mode: "0400" } } },
    ttlSeconds: 900,
    replies: [loggedIn({ expiresIn: 0 }), found()],
    calls: [{ method: "POST", url: "https://infisical.example.com/api/v1/auth/oidc-auth/login" }],
    expect: {
      ...minted(),
      values: { KEY_FILE: { secret: true, env: "KEY_FILE", file: { mode: "0400" }, value: "the password" } },
    },
  },
  {
    name: "has references resolved where the connection says so, and looks for none in what came of it",
    ...request,
    connection: { ...connection, resolve_references: true },
    replies: [loggedIn(), found({ secretValue: `the \${UNKNOWN} password` })],
    calls: [LOGIN_CALL, readCall("DB_PASSWORD", "prod", "%2Fpayments%2Feu", true)],
    expect: minted(`the \${UNKNOWN} password`),
  },
  {
    name: "hands over what only looks like a reference as it stands",
    ...request,
    replies: [loggedIn(), found({ secretValue: `$HOST \${HOST:-db} {HOST} \${}` })],
    expect: minted(`$HOST \${HOST:-db} {HOST} \${}`),
  },
  {
    name: "says that a secret which is referred to may not be read either",
    ...request,
    connection: { ...connection, resolve_references: true },
    replies: [loggedIn(), refused(403, "PermissionDenied")],
    expect: { code: "provider_denied", detailHolds: "or a secret that it refers to" },
  },
  {
    name: "hands out nothing when one of several is refused",
    ...asking(PASSWORD, `${PROJECT}/prod/HOST`),
    replies: [loggedIn(), found(), refused(404, "NotFound")],
    expect: { code: "secret_not_found", detailHolds: `${PROJECT}/prod/HOST names` },
  },
  ...logins,
  ...refusals,
  ...spoiled,
  ...failures,
  ...whole,
]

import { CASE_SUBJECT, FOREIGN_TEXT, type ProviderCase, type Reply } from "../case.ts"
import { askingBy, handingOutNothing, minted, refusing, storeFailures } from "../case-store.ts"
import { wholeStories } from "../case-whole.ts"

const connection = { url: "https://conjur.example.com", account: "acme", authenticator: "daypass" }
const PASSWORD = "data/shop/db/password"
const HOST = "data/vault/Shop Safe/db host"
const asking = askingBy({ connection })
const request = asking(PASSWORD)

const json = (body: unknown, status = 200): Reply => ({ status, body: JSON.stringify(body) })
const TOKEN = { protected: "eyJhbGciOiJ0In0=", payload: "eyJzdWIiOiJob3N0In0=", signature: "canary-of-the_login==" }
const loggedIn = (change: object = {}): Reply => json({ ...TOKEN, ...change })
const inBase64 = { "content-encoding": "base64" }
const values = (
  texts: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = inBase64,
): Reply => ({
  status: 200,
  headers,
  body: JSON.stringify(Object.fromEntries(Object.entries(texts).map(([id, text]) => [`acme:variable:${id}`, text]))),
})
const found = values({ [PASSWORD]: btoa("the password") })
const refused = (status: number, code: string): Reply => json({ error: { code, message: FOREIGN_TEXT } }, status)
const silent = (status: number): Reply => ({ status, body: "" })

const LOGIN_CALL = {
  method: "POST",
  url: "https://conjur.example.com/authn-jwt/daypass/acme/authenticate",
  headers: { "content-type": "application/x-www-form-urlencoded" },
  bodyHolds: ["jwt=header.canary"],
}
const readCall = (...ids: readonly string[]) => ({
  method: "GET",
  url: `https://conjur.example.com/secrets?variable_ids=${ids.join(",")}`,
  headers: { authorization: `Token token="${btoa(JSON.stringify(TOKEN))}"`, "accept-encoding": "base64" },
})
const PASSWORD_ID = "acme%3Avariable%3Adata%2Fshop%2Fdb%2Fpassword"
const HOST_ID = "acme%3Avariable%3Adata%2Fvault%2FShop%20Safe%2Fdb%20host"

const logins: readonly ProviderCase[] = (
  [
    [400, "issuer and audience"],
    [401, `The token's sub is ${CASE_SUBJECT}`],
    [403, "Add it to the group"],
    [404, "url, account and authenticator"],
  ] as const
).map(([status, detailHolds]) => ({
  name: `takes ${status} at the login for a refusal, and does not ask again`,
  ...request,
  replies: [silent(status)],
  expect: { code: "provider_denied", detailHolds },
}))

const refusals = refusing(request, loggedIn())(
  ["a variable that it may not read", refused(403, "forbidden"), "provider_denied", `may not read ${PASSWORD}`],
  ["a login that has ended", silent(401), "provider_denied", "ended the broker's login"],
  ["a variable that is not there", refused(404, "not_found"), "secret_not_found", `${PASSWORD} names a variable`],
  ["a request that Conjur does not take", refused(422, "argument_error"), "provider_denied", "log"],
  ["what is binary, asked for as text", refused(406, "bad_secret_encoding"), "secret_unusable", "Accept-Encoding"],
)

const spoiled = handingOutNothing(request)(
  ["a login without a signature", [loggedIn({ signature: undefined })]],
  ["a login that ends when it begins", [loggedIn({ payload: btoa('{"iat":1795349400,"exp":1795349400}') })]],
  ["a login whose token would break a header", [loggedIn({ payload: 'x"\r\n' })]],
  ["another variable", [loggedIn(), values({ "data/shop/db/other": btoa(FOREIGN_TEXT) })]],
  ["a value that is no text", [loggedIn(), json({ [`acme:variable:${PASSWORD}`]: 7 })]],
  ["a value that is not in base64, as it says", [loggedIn(), values({ [PASSWORD]: `${FOREIGN_TEXT}!` })]],
)

const failures = storeFailures({
  asking,
  locator: PASSWORD,
  before: [loggedIn()],
  found: (text) => values({ [PASSWORD]: btoa(text) }),
  binary: values({ [PASSWORD]: btoa("\xff\xfe") }),
  isOfBytes: true,
  picksFields: true,
  throttled: silent(429),
  failing: [["a failure", silent(503)]],
})

const whole = wholeStories({
  way: { connection },
  from: PASSWORD,
  before: [loggedIn()],
  found: (texts) => values({ [PASSWORD]: btoa(JSON.stringify(texts)) }),
  calls: [LOGIN_CALL, readCall(PASSWORD_ID)],
  denied: refused(403, "forbidden"),
  missing: refused(404, "not_found"),
})

/** Stories of Conjur: read in batches, refused, binary, spoiled, and transient failures. */
export const cases: readonly ProviderCase[] = [
  {
    name: "logs in once, and asks for all variables in one call, whose base64 comes in lines",
    ...asking(PASSWORD, HOST, "data/shop/keys#old", "data/shop/keys#n"),
    replies: [
      loggedIn(),
      values({
        [PASSWORD]: `${btoa("the password").replace(/.{6}/g, "$&\n")}\n`,
        [HOST]: btoa("db"),
        "data/shop/keys": btoa('{"old":"k1","n":20261}'),
      }),
    ],
    calls: [LOGIN_CALL, readCall(PASSWORD_ID, HOST_ID, "acme%3Avariable%3Adata%2Fshop%2Fkeys")],
    expect: minted("the password", "db", "k1", "20261"),
  },
  {
    name: "logs in as the connection's host, below the path of its URL, and hands over binary files",
    connection: { ...connection, url: "https://acme.secretsmgr.cyberark.cloud/api", host: "data/daypass/shop" },
    grant: { read: { KEY_FILE: { from: PASSWORD, as: "file" } } },
    ttlSeconds: 900,
    replies: [loggedIn(), values({ [PASSWORD]: btoa("\xff\0") })],
    calls: [
      {
        method: "POST",
        url: "https://acme.secretsmgr.cyberark.cloud/api/authn-jwt/daypass/acme/host%2Fdata%2Fdaypass%2Fshop/authenticate",
      },
    ],
    expect: {
      ...minted(),
      values: {
        KEY_FILE: { secret: true, env: "KEY_FILE", file: { mode: "0600", encoding: "base64" }, value: btoa("\xff\0") },
      },
    },
  },
  {
    name: "takes text as it is where nothing says that it is in base64",
    ...request,
    replies: [loggedIn(), values({ [PASSWORD]: "cGFzcw==" }, {})],
    expect: minted("cGFzcw=="),
  },
  {
    name: "asks for each variable alone when one of a batch is refused, and says which it is",
    ...asking(PASSWORD, HOST),
    replies: [loggedIn(), refused(404, "not_found"), found, refused(404, "not_found")],
    calls: [LOGIN_CALL, readCall(PASSWORD_ID, HOST_ID), readCall(PASSWORD_ID), readCall(HOST_ID)],
    expect: { code: "secret_not_found", detailHolds: `${HOST} names a variable` },
  },
  {
    name: "asks in several calls when one would have too long a URL",
    ...asking(...Array.from({ length: 16 }, (_, at) => `data/${"x".repeat(240)}/${at + 10}`)),
    replies: [
      loggedIn(),
      values(
        Object.fromEntries(
          Array.from({ length: 14 }, (_, at) => [`data/${"x".repeat(240)}/${at + 10}`, "dGhlIHZhbHVl"]),
        ),
      ),
      values(Object.fromEntries([24, 25].map((at) => [`data/${"x".repeat(240)}/${at}`, "dGhlIHZhbHVl"]))),
    ],
    expect: minted(...Array.from({ length: 16 }, () => "the value")),
  },
  ...logins,
  ...refusals,
  ...spoiled,
  ...failures,
  ...whole,
]

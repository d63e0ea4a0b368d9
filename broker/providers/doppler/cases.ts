import { CASE_SUBJECT, FOREIGN_TEXT, type ProviderCase, type Reply } from "../case.ts"
import { askingBy, handingOutNothing, minted, refusing, storeFailures } from "../case-store.ts"
import { wholeStories } from "../case-whole.ts"

const connection = { identity: "2f1c7e1a-5b52-4a8e-9d3c-0e6f4b7a9c15" }
const URL_SECRET = "shop/prd/DATABASE_URL"
const asking = askingBy({ connection })
const request = asking(URL_SECRET)

const json = (body: unknown, status = 200): Reply => ({ status, body: JSON.stringify(body) })
const loggedIn = (change: object = {}): Reply =>
  json({ token: "dp.said.canary-of-the-login", expires_at: "2026-11-22T12:30:00.000Z", ...change })
const secret = (raw: unknown, visibility = "masked") => ({
  raw,
  computed: FOREIGN_TEXT,
  note: FOREIGN_TEXT,
  rawVisibility: visibility,
  computedVisibility: visibility,
})
const shelf = (secrets: object): Reply => json({ secrets, success: true })
const found = shelf({ DATABASE_URL: secret("postgres://shop") })
const refused = (status: number): Reply => json({ messages: [FOREIGN_TEXT], success: false }, status)

const LOGIN_CALL = {
  method: "POST",
  url: "https://api.doppler.com/v3/auth/oidc",
  headers: { "content-type": "application/json" },
  bodyHolds: [`"identity":"${connection.identity}"`, '"token":"header.canary'],
}
const readCall = (project: string, config: string, names: string) => ({
  method: "GET",
  url: `https://api.doppler.com/v3/configs/config/secrets?project=${project}&config=${config}&secrets=${names}&include_dynamic_secrets=false`,
  headers: { authorization: "Bearer dp.said.canary-of-the-login" },
})

const logins: readonly ProviderCase[] = ([400, 401, 403, 404] as const).map((status) => ({
  name: `takes ${status} at the login for a refusal, and does not ask again`,
  ...request,
  replies: [refused(status)],
  expect: { code: "provider_denied", detailHolds: `its rule for sub with the grant's subject, ${CASE_SUBJECT}` },
}))

const refusals = refusing(request, loggedIn())(
  ["a config that the account may not read", refused(403), "provider_denied", `config of ${URL_SECRET}`],
  ["a login that has ended", refused(401), "provider_denied", "still exists"],
  ["a config that the token is not for", refused(400), "provider_denied", "Give it access"],
  ["a config that is not there", refused(404), "secret_not_found", "a project or a config"],
  [
    "a secret that is not there",
    shelf({ OTHER: secret(FOREIGN_TEXT) }),
    "secret_not_found",
    "the config does not have",
  ],
  [
    "a secret of which every member is null",
    shelf({
      DATABASE_URL: { raw: null, computed: null, note: null, rawVisibility: null, computedVisibility: null },
    }),
    "secret_not_found",
    "the config does not have",
  ],
  [
    "a restricted value that is withheld",
    shelf({ DATABASE_URL: { ...secret(null, "restricted"), computed: null } }),
    "secret_unusable",
    "Doppler withholds",
  ],
  [
    "a reference to a secret of the same config",
    shelf({ DATABASE_URL: secret(`${FOREIGN_TEXT}\${HOST}`) }),
    "secret_unusable",
    "resolve_references: true",
  ],
  [
    "a reference to a secret of another project",
    shelf({ DATABASE_URL: secret(`\${bank-2.prd.KEY}`) }),
    "secret_unusable",
    "by its own locator",
  ],
)

const spoiled = handingOutNothing(request)(
  ["a login without a token", [loggedIn({ token: undefined })]],
  ["a login whose token would break a header", [loggedIn({ token: "dp.said.x\r\nx: y" })]],
  ["a login without an end", [loggedIn({ expires_at: undefined })]],
  ["a login that has expired already", [loggedIn({ expires_at: "2026-11-22T11:59:59.000Z" })]],
  ["an answer without secrets", [loggedIn(), json({ success: true })]],
  ["a secret without a value", [loggedIn(), shelf({ DATABASE_URL: secret(undefined) })]],
  ["a secret that is no text", [loggedIn(), shelf({ DATABASE_URL: secret(7) })]],
)

const failures = storeFailures({
  asking,
  locator: URL_SECRET,
  before: [loggedIn()],
  found: (text) => shelf({ DATABASE_URL: secret(text) }),
  picksFields: true,
  throttled: refused(429),
  failing: [["a failure", refused(503)]],
})

const ALL_CALL = {
  ...readCall("shop", "prd", ""),
  url: "https://api.doppler.com/v3/configs/config/secrets?project=shop&config=prd&include_managed_secrets=false&include_dynamic_secrets=false",
}
const secrets = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([name, text]) => [name, secret(text)]))
const whole = [
  ...wholeStories({
    way: { connection },
    from: "shop/prd/",
    before: [loggedIn()],
    found: (values) => shelf(secrets(values)),
    calls: [LOGIN_CALL, ALL_CALL],
    denied: refused(403),
    missing: refused(404),
  }),
  ...wholeStories({
    way: { connection },
    from: "shop/prd/KEYS",
    before: [loggedIn()],
    found: (values) => shelf({ KEYS: secret(JSON.stringify(values)) }),
    calls: [LOGIN_CALL, readCall("shop", "prd", "KEYS")],
    denied: refused(403),
    missing: refused(404),
  }).map((story) => ({ ...story, name: `${story.name}, of JSON` })),
  ...refusing({ ...request, grant: { read_all: { from: "shop/prd/", prefix: "SHOP_" } } }, loggedIn())(
    [
      "a reference in any secret",
      shelf(secrets({ A: "a", B: `\${bank.prd.KEY}` })),
      "secret_unusable",
      "shop/prd/B contains",
    ],
    [
      "a withheld secret among others",
      shelf({ A: { ...secret(null, "restricted"), computed: null } }),
      "secret_unusable",
      "withholds",
    ],
  ),
]

/** Stories of Doppler: read a config at a time, refused, hidden, spoiled, and transient failures. */
export const cases: readonly ProviderCase[] = [
  {
    name: "logs in once, and asks each config once for the secrets that are wanted of it",
    ...asking(
      "shop/prd/DATABASE_URL",
      "shop/prd_eu/STRIPE_KEY",
      "shop/prd/HOST",
      "shop/prd/KEYS#old",
      "shop/prd/KEYS#n",
    ),
    replies: [
      loggedIn(),
      shelf({
        DATABASE_URL: secret("postgres://shop"),
        HOST: secret("db", "restricted"),
        KEYS: secret('{"old":"k1","n":20261}'),
      }),
      shelf({ STRIPE_KEY: secret("sk_live_1"), DOPPLER_CONFIG: { raw: "prd_eu" } }),
    ],
    calls: [
      LOGIN_CALL,
      readCall("shop", "prd", "DATABASE_URL%2CHOST%2CKEYS"),
      readCall("shop", "prd_eu", "STRIPE_KEY"),
    ],
    expect: minted("postgres://shop", "sk_live_1", "db", "k1", "20261"),
  },
  {
    name: "says that a value is public where Doppler shows it to everybody, and of no other",
    ...asking("shop/prd/HOST", "shop/prd/PORT"),
    replies: [
      loggedIn(),
      shelf({ HOST: secret("db.example.com", "unmasked"), PORT: { raw: "5432", computedVisibility: "unmasked" } }),
    ],
    expect: {
      ...minted(),
      values: {
        VALUE_1: { secret: false, env: "VALUE_1", value: "db.example.com" },
        VALUE_2: { secret: true, env: "VALUE_2", value: "5432" },
      },
    },
  },
  {
    name: "has references resolved where the connection says so, and goes by what came of it",
    ...asking("shop/prd/DATABASE_URL", "shop/prd/HOST"),
    connection: { ...connection, resolve_references: true },
    replies: [
      loggedIn(),
      shelf({
        DATABASE_URL: {
          raw: FOREIGN_TEXT,
          computed: `postgres://db \${UNKNOWN}`,
          rawVisibility: "unmasked",
          computedVisibility: "masked",
        },
        HOST: { raw: FOREIGN_TEXT, computed: "db", rawVisibility: "masked", computedVisibility: "unmasked" },
      }),
    ],
    expect: {
      ...minted(`postgres://db \${UNKNOWN}`),
      values: {
        VALUE_1: { secret: true, env: "VALUE_1", value: `postgres://db \${UNKNOWN}` },
        VALUE_2: { secret: false, env: "VALUE_2", value: "db" },
      },
    },
  },
  {
    name: "hands out nothing of a value that Doppler keeps back once it is resolved",
    ...request,
    connection: { ...connection, resolve_references: true },
    replies: [loggedIn(), shelf({ DATABASE_URL: { raw: FOREIGN_TEXT, computed: null } })],
    expect: { code: "secret_unusable", detailHolds: "Doppler withholds" },
  },
  {
    name: "asks where the connection's own URL says, and hands over a file",
    connection: { ...connection, url: "https://doppler.proxy.example.com", projects: ["shop"] },
    grant: { read: { KEY_FILE: { from: URL_SECRET, as: "file" } } },
    ttlSeconds: 900,
    replies: [loggedIn(), found],
    calls: [{ method: "POST", url: "https://doppler.proxy.example.com/v3/auth/oidc" }],
    expect: {
      ...minted(),
      values: { KEY_FILE: { secret: true, env: "KEY_FILE", file: { mode: "0600" }, value: "postgres://shop" } },
    },
  },
  {
    name: "does not go by a member that every object has",
    ...asking("shop/prd/__PROTO__"),
    replies: [loggedIn(), { status: 200, body: '{"secrets":{"__proto__":{"__PROTO__":{"raw":"x"}}}}' }],
    expect: { code: "secret_not_found" },
  },
  ...logins,
  ...refusals,
  ...spoiled,
  ...failures,
  ...whole,
]

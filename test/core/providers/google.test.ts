import { describe, expect, it } from "vitest"
import { createLogins } from "../../../broker/adapters/memory/logins.ts"
import { BrokerError } from "../../../broker/core/errors.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { CASE_NOW } from "../../../broker/providers/case.ts"
import { connection, grant, reachOf, scopesOf } from "../../../broker/providers/google/grant.ts"
import { google } from "../../../broker/providers/google/provider.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import type { IdentityTokenOptions } from "../../../broker/providers/provider.ts"
import { clockOf } from "../../support/clock.ts"
import { makeProviderIo, ScriptedHttp } from "../../support/provider-io.ts"
import { job } from "../job.ts"

const POOL_PROVIDER = "projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker"
const ACCOUNT = "shop-deploy@acme-prod.iam.gserviceaccount.com"

const isConnection = (change: Record<string, unknown>) =>
  connection.safeParse({ workload_identity_provider: POOL_PROVIDER, ...change }).success
const isGrant = (value: unknown) => grant.safeParse(value).success

describe("a connection to Google Cloud", () => {
  it.each<readonly [string, Record<string, unknown>]>([
    ["nothing but its pool's provider", {}],
    ["an audience of the provider's own", { audience: "https://daypass.example.com" }],
    ["a sovereign cloud's endpoints", { sts_endpoint: "https://sts.s3nsapis.fr" }],
    ["an endpoint on this machine", { iam_credentials_endpoint: "http://127.0.0.1:8080" }],
    ["a default account", { service_accounts: ["123456789012-compute@developer.gserviceaccount.com"] }],
    ["all of a project's accounts", { service_accounts: ["*@acme-prod.iam.gserviceaccount.com"] }],
    ["a project of a domain", { project: "example.com:acme-prod" }],
  ])("may have %s", (_, change) => {
    expect(isConnection(change)).toBe(true)
  })

  it.each<readonly [string, Record<string, unknown>]>([
    ["the project's id", { workload_identity_provider: POOL_PROVIDER.replace("123456789012", "acme-prod") }],
    ["a pool", { workload_identity_provider: POOL_PROVIDER.replace("/providers/broker", "") }],
    ["a name with a host", { workload_identity_provider: `//iam.googleapis.com/${POOL_PROVIDER}` }],
    ["a name that goes on", { workload_identity_provider: `${POOL_PROVIDER}/keys/x` }],
    ["a name with a line break", { workload_identity_provider: `${POOL_PROVIDER}\n` }],
    ["an audience with a space", { audience: "a b" }],
    ["an endpoint over http", { sts_endpoint: "http://sts.example.com" }],
    ["an endpoint with a path", { sts_endpoint: "https://sts.example.com/v1" }],
    ["an endpoint with a slash at its end", { sts_endpoint: "https://sts.example.com/" }],
    ["an endpoint with a query", { sts_endpoint: "https://sts.example.com?x" }],
    ["an endpoint with a path in another spelling", { sts_endpoint: "https://sts.example.com\\x" }],
    ["an endpoint with credentials", { sts_endpoint: "https://user:pass@sts.example.com" }],
    ["no accounts", { service_accounts: [] }],
    ["everybody's accounts", { service_accounts: ["*"] }],
    ["everybody's default accounts", { service_accounts: ["*@developer.gserviceaccount.com"] }],
    ["all projects' accounts", { service_accounts: ["*@iam.gserviceaccount.com"] }],
    ["some of a project's accounts", { service_accounts: ["shop-*@acme-prod.iam.gserviceaccount.com"] }],
    ["a project's number", { project: "123456789012" }],
    ["an unknown key", { service_account: ACCOUNT }],
  ])("never has %s", (_, change) => {
    expect(isConnection(change)).toBe(false)
  })
})

describe("a grant of Google Cloud", () => {
  it("is for the scope of all of Google Cloud when it names none", () => {
    expect(scopesOf(grant.parse({}))).toEqual(["https://www.googleapis.com/auth/cloud-platform"])
    expect(reachOf(grant.parse({}))).toEqual({ scopes: ["https://www.googleapis.com/auth/cloud-platform"] })
  })

  it("hands over one thing only", () => {
    expect(isGrant({ hand_over: "federated-token" })).toBe(true)
    for (const value of [true, "access-token", "", null]) expect(isGrant({ hand_over: value })).toBe(false)
    expect(isGrant({ federated_token: true })).toBe(false)
  })

  it.each<readonly [string, unknown]>([
    ["a person", { service_account: "someone@example.com" }],
    ["an account by its digits", { service_account: "104857600000000000000" }],
    ["an account that leaves the path", { service_account: "a/../b@acme-prod.iam.gserviceaccount.com" }],
    ["an account with another method", { service_account: `${ACCOUNT}:signJwt?x=` }],
    ["an account with a line break", { service_account: `${ACCOUNT}\n` }],
    ["all accounts", { service_account: "*@acme-prod.iam.gserviceaccount.com" }],
    ["no scopes", { scopes: [] }],
    ["a scope by its short name", { scopes: ["cloud-platform"] }],
    ["two scopes in one", { scopes: ["https://www.googleapis.com/auth/iam https://www.googleapis.com/auth/pubsub"] }],
    ["a scope of another host", { scopes: ["https://www.googleapis.com.example.com/auth/iam"] }],
    ["no delegates", { service_account: ACCOUNT, delegates: [] }],
    [
      "a delegate by its resource name",
      { service_account: ACCOUNT, delegates: [`projects/-/serviceAccounts/${ACCOUNT}`] },
    ],
    ["a subject to act for", { service_account: ACCOUNT, subject: "someone@example.com" }],
  ])("is never for %s", (_, value) => {
    expect(isGrant(value)).toBe(false)
  })
})

describe("a grant and its connection", () => {
  const conflict = (wanted: unknown, allowed: Record<string, unknown>) =>
    google.check?.(grant.parse(wanted), connection.parse({ workload_identity_provider: POOL_PROVIDER, ...allowed })) ??
    null
  const other = "other@acme-prod.iam.gserviceaccount.com"
  const OWN = { hand_over: "federated-token" }

  it.each<readonly [string, unknown, Record<string, unknown>]>([
    ["an account of the list", { service_account: ACCOUNT }, { service_accounts: [ACCOUNT] }],
    ["an account of a project", { service_account: ACCOUNT }, { service_accounts: [`*@${ACCOUNT.split("@")[1]}`] }],
    ["no account where there is no list", {}, {}],
    ["the broker's own token", OWN, { federated_tokens: true }],
    ["the broker's own token beside a list", OWN, { federated_tokens: true, service_accounts: [ACCOUNT] }],
    [
      "the broker's own token for an account of the list",
      { ...OWN, service_account: ACCOUNT },
      { federated_tokens: true, service_accounts: [ACCOUNT] },
    ],
  ])("agree on %s", (_, wanted, allowed) => {
    expect(conflict(wanted, allowed)).toBeNull()
  })

  it.each<readonly [string, unknown, Record<string, unknown>, string]>([
    ["an account that is not listed", { service_account: other }, { service_accounts: [ACCOUNT] }, other],
    [
      "an account of a project whose name goes on",
      { service_account: "x@not-acme-prod.iam.gserviceaccount.com" },
      { service_accounts: ["*@acme-prod.iam.gserviceaccount.com"] },
      "is not among",
    ],
    [
      "a delegate that is not listed",
      { service_account: ACCOUNT, delegates: [other] },
      { service_accounts: [ACCOUNT] },
      other,
    ],
    ["an account without a list", { service_account: ACCOUNT }, {}, "lists no service_accounts"],
    ["a federated token past a list", {}, { service_accounts: [ACCOUNT] }, "name one with service_account"],
    ["delegates to nobody", { delegates: [ACCOUNT] }, {}, "name it with service_account"],
    ["the broker's own token unasked", OWN, {}, "add federated_tokens: true to the connection"],
    [
      "the broker's own token of a listed account, unasked",
      { ...OWN, service_account: ACCOUNT },
      { service_accounts: [ACCOUNT] },
      "can impersonate every account that trusts the grant's principal, also outside of service_accounts",
    ],
    [
      "the broker's own token for an account that is not listed",
      { ...OWN, service_account: other },
      { federated_tokens: true, service_accounts: [ACCOUNT] },
      "is not among",
    ],
    [
      "the broker's own token for an account without a list",
      { ...OWN, service_account: ACCOUNT },
      { federated_tokens: true },
      "lists no service_accounts",
    ],
    [
      "scopes of the broker's own token",
      { ...OWN, scopes: ["https://www.googleapis.com/auth/pubsub"] },
      { federated_tokens: true },
      "the tools choose them",
    ],
    [
      "delegates of the broker's own token",
      { ...OWN, service_account: ACCOUNT, delegates: [ACCOUNT] },
      { federated_tokens: true, service_accounts: [ACCOUNT] },
      "impersonate the account directly",
    ],
  ])("never agree on %s", (_, wanted, allowed, says) => {
    expect(conflict(wanted, allowed)).toContain(says)
  })
})

/** Google as a list of answers, and a broker that keeps logins. */
function world(answers: readonly (readonly [status: number, body: unknown])[], subject = "s") {
  const other = new ScriptedHttp(answers.map(([status, body]) => ({ status, body: JSON.stringify(body) })))
  const asked: (IdentityTokenOptions | undefined)[] = []
  const scopes: string[] = []
  const logins = createLogins(clockOf(() => new Date(CASE_NOW)))
  const io = makeProviderIo({
    http: other.http,
    remainingMs: 0,
    logins: {
      ...logins,
      keep(scope, login) {
        scopes.push(scope)
        logins.keep(scope, login)
      },
    },
    async identityToken(_, options) {
      asked.push(options)
      return new Secret("header.payload.signature")
    },
  })
  const mint = (wanted: unknown, ttlSeconds: number) =>
    google.mint(
      {
        identity: job(),
        grantName: "google-deploy",
        subject,
        connectionName: "google",
        connection: connection.parse({ workload_identity_provider: POOL_PROVIDER }),
        grant: grant.parse(wanted),
        ttlSeconds,
        lease: "b7e1c9f0-0000-4000-8000-000000000000",
      },
      io,
    )
  return { mint, paths: () => other.sent.map(({ url }) => new URL(url).pathname.split("/").at(-1)), asked, scopes }
}

const exchanged = [
  200,
  {
    access_token: "ya29.d.x",
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
    token_type: "Bearer",
    expires_in: 300,
  },
] as const
const impersonated = [200, { accessToken: "ya29.c.x", expireTime: "2026-11-22T12:15:00Z" }] as const
const unauthenticated = [401, { error: { code: 401, status: "UNAUTHENTICATED" } }] as const
const GENERATE = `${ACCOUNT}:generateAccessToken`

describe("the way into Google Cloud", () => {
  it("makes the broker's token live no longer than a federated token may that is handed out", async () => {
    const { mint, asked } = world([exchanged, exchanged, exchanged])
    for (const ttl of [900, 300, 60]) await mint({}, ttl).catch(() => {})
    expect(asked.map((options) => options?.ttlSeconds)).toEqual([300, 300, 60])
  })

  it("never keeps a federated token that is handed out", async () => {
    const { mint, scopes } = world([exchanged])
    await mint({}, 900)
    expect(scopes).toEqual([])
  })

  it("is gone once for many tokens, and again when Google took no notice of a login that was kept", async () => {
    const { mint, paths } = world([
      ...[exchanged, impersonated, impersonated],
      ...[unauthenticated, exchanged, impersonated],
    ])
    for (let time = 0; time < 3; time++) await mint({ service_account: ACCOUNT }, 900)
    expect(paths()).toEqual(["token", GENERATE, GENERATE, GENERATE, "token", GENERATE])
  })

  it("is not tried again when Google refuses a login that is new", async () => {
    const { mint, paths } = world([exchanged, unauthenticated])
    await expect(mint({ service_account: ACCOUNT }, 900)).rejects.toThrow(BrokerError)
    expect(paths()).toEqual(["token", GENERATE])
  })

  it.each([
    [127, "Most often the provider's attribute mapping"],
    [128, "this job's sub has 128 bytes, but google.subject allows 127"],
  ])("says of a sub of %i bytes what Google does not take of it", async (bytes, says) => {
    const { mint } = world([[400, { error: "invalid_request" }]], "s".repeat(bytes))
    await expect(mint({}, 900)).rejects.toThrow(says)
  })
})

describe("a policy for Google Cloud", () => {
  const load = (boundary: string, fields: string, ttl = "15m") =>
    loadPolicySet(
      [
        [
          "daypass.yaml",
          `version: 1
issuers:
  github: { family: github-actions, url: "https://token.actions.githubusercontent.com", owners: { acme: "9001" } }
connections:
  google-prod:
    provider: google
    workload_identity_provider: ${POOL_PROVIDER}
    service_accounts: [${ACCOUNT}]
    federated_tokens: true
boundaries:
  - name: all
    when: { repository_id: "41" }
    allow: [{ connection: google-prod, ${boundary} }]
`,
        ],
        [
          "p.yaml",
          `version: 1
repository: acme/shop
repository_id: "41"
environment: production
allow: [{ name: all, when: { ref: refs/heads/main }, grants: [google] }]
grants:
  google: { connection: google-prod, ${fields}, ttl: ${ttl} }
`,
        ],
      ].map(([path = "", text = ""]) => ({ path, bytes: new TextEncoder().encode(text) })),
      PROVIDERS,
    )

  function outcome(boundary: string, fields: string): string {
    const loaded = load(boundary, fields)
    if (!loaded.ok) throw new Error(loaded.fault.map(({ message }) => message).join("\n"))
    const { organisation, policiesOf } = loaded.value
    const claims = { ref: "refs/heads/main", event_name: "push", repository: "acme/shop", repository_id: "41" }
    const identity = job({ claims: { ...claims, repository_owner: "acme", repository_owner_id: "9001" } })
    return decide({ organisation, policies: policiesOf(identity), identity, grants: ["google"] }).outcome
  }

  const OWN = `service_account: ${ACCOUNT}, hand_over: federated-token`
  it.each<[string, string, string, "allow" | "deny"]>([
    ["an account", `service_account: "${ACCOUNT}"`, `service_account: ${ACCOUNT}`, "allow"],
    ["all of Google Cloud", 'scopes: "**/cloud-platform"', `service_account: ${ACCOUNT}`, "allow"],
    ["another scope", 'scopes: "**/pubsub"', `service_account: ${ACCOUNT}`, "deny"],
    // The broker's own token is good for every account that trusts its principal, and for every scope.
    ["an account", `service_account: "${ACCOUNT}"`, OWN, "deny"],
    ["any account there is", 'service_account: "**"', OWN, "deny"],
    ["any scope there is", 'scopes: "**"', OWN, "deny"],
    ["the broker's own token", "hand_over: federated-token", OWN, "allow"],
    ["the broker's own token", "hand_over: federated-token", "hand_over: federated-token", "allow"],
    ["the broker's own token", "hand_over: federated-token", `service_account: ${ACCOUNT}`, "deny"],
  ])("below a ceiling that allows %s (%s): %s is for %s", (_, boundary, fields, expected) => {
    expect(outcome(boundary, fields)).toBe(expected)
  })

  it("gives ten minutes at least to tools that impersonate, for Google's libraries ask for no less", () => {
    const faults = (fields: string, ttl: string) => {
      const loaded = load("hand_over: federated-token", fields, ttl)
      return loaded.ok ? [] : loaded.fault.map(({ code }) => code)
    }
    expect(faults(OWN, "599s")).toEqual(["ttl_too_short"])
    expect(faults(OWN, "10m")).toEqual([])
    expect(faults("hand_over: federated-token", "1m")).toEqual([])
    expect(faults(`service_account: ${ACCOUNT}`, "1m")).toEqual([])
  })

  it("says in the record what the broker's own token reaches, and that nothing of it can be unknown", () => {
    const wanted = grant.parse({ service_account: ACCOUNT, hand_over: "federated-token" })
    const settings = connection.parse({ workload_identity_provider: POOL_PROVIDER })
    expect(google.resource(wanted)).toBe(
      `the job's own principal in the workload identity pool and every service account that trusts it, meant for ${ACCOUNT}`,
    )
    expect(google.local?.(wanted, settings)).toBe(true)
    expect(google.local?.(grant.parse({ service_account: ACCOUNT }), settings)).toBe(false)
  })
})

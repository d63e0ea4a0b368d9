import { describe, expect, it } from "vitest"
import { decide } from "../../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { readRefusal } from "../../../broker/providers/azure/api.ts"
import { connection, grant } from "../../../broker/providers/azure/grant.ts"
import { azure } from "../../../broker/providers/azure/provider.ts"
import { sideOf } from "../../../broker/providers/azure/wish.ts"
import { connection as tokenConnection } from "../../../broker/providers/identity-token/grant.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { job } from "../job.ts"

const TENANT = "7c1f0a52-3b6e-4d7a-9c55-2f8e1d0b4a63"
const CLIENT = "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504"
const SCOPE = "https://management.azure.com/.default"

const isConnection = (change: object) =>
  connection.safeParse({ tenant: TENANT, client_ids: [CLIENT], ...change }).success

const isGrant = (change: object) => grant.safeParse({ client_id: CLIENT, ...change }).success

describe("a connection to Entra", () => {
  it.each<[string, object]>([
    ["a domain for a tenant, which may change hands", { tenant: "acme.onmicrosoft.com" }],
    ["no tenant in particular", { tenant: "common" }],
    ["a tenant in another spelling", { tenant: TENANT.toUpperCase() }],
    ["a tenant that leaves the path", { tenant: `${TENANT}/../common` }],
    ["no clients", { client_ids: [] }],
    ["a client that is no id", { client_ids: ["shop-deploy"] }],
    ["an authority with a path", { authority: "https://login.microsoftonline.com/common" }],
    ["an authority with a slash at its end", { authority: "https://login.microsoftonline.com/" }],
    ["an authority with a query", { authority: "https://login.microsoftonline.com?x" }],
    ["an authority over plain http", { authority: "http://login.microsoftonline.com" }],
    ["an authority with a user", { authority: "https://user:pass@login.microsoftonline.com" }],
    ["a subscription by its name", { subscription: "production" }],
  ])("does not have %s", (_, change) => {
    expect(isConnection(change)).toBe(false)
  })

  it("may have a sovereign cloud's authority, or one on this machine", () => {
    for (const authority of ["https://login.microsoftonline.us", "http://127.0.0.1:8080"])
      expect(isConnection({ authority })).toBe(true)
  })

  // A job may hold tokens of this audience, and identity-token's jobs those of every other: they must never be the same.
  it.each([
    "api://AzureADTokenExchange",
    "api://AzureADTokenExchangeUSGov",
    "api://AzureADTokenExchangeChina",
    "sts.amazonaws.com",
    "https://vault.example.com",
    "api://orders",
    "api://AzureADTokenExchange/x",
  ])("shares no audience with identity-token: %s is one's alone", (audience) => {
    expect(isConnection({ audience }) && tokenConnection.safeParse({ audiences: [audience] }).success).toBe(false)
  })
})

describe("a grant of Entra's", () => {
  it.each([
    "https://management.azure.com/.default",
    "https://vault.azure.net/.default",
    "https://example.com//.default",
    "https://ossrdbms-aad.database.windows.net/.default",
    "api://orders/.default",
    "api://acme.example/orders/.default",
    "499b84ac-1321-427f-aa17-267ca6975798/.default",
  ])("may have the scope %s, and its resource", (scope) => {
    expect([isGrant({ scope }), isGrant({ resource: scope.replace(/\/\.default$/, "") })]).toEqual([true, true])
  })

  it.each([
    "https://management.azure.com",
    "https://graph.microsoft.com/User.Read.All",
    "https://a.example/.default https://b.example/.default",
    "https://a.example/.default\n",
    "https://a.example/?x=/.default",
    "https://a.example/&client_id=x/.default",
    "https://user@a.example/.default",
    "https://a.example:8443/.default",
    "http://a.example/.default",
    "openid/.default",
    "/.default",
    `https://a.example/${"x".repeat(260)}/.default`,
  ])("never has the scope %o", (scope) => {
    expect(isGrant({ scope })).toBe(false)
  })

  it.each<[string, object, RegExp]>([
    ["another client", { client_id: TENANT, scope: SCOPE }, /not among the connection's client_ids/],
    ["neither scope nor resource", {}, /exactly one/],
    ["both", { scope: SCOPE, resource: "https://management.azure.com" }, /exactly one/],
    ["a scope and the broker's token", { scope: SCOPE, hand_over: "federated-token" }, /exactly one/],
    ["the broker's token unasked", { hand_over: "federated-token" }, /add federated_tokens: true to the connection/],
  ])("cannot have %s", (_, change, message) => {
    const settings = connection.parse({ tenant: TENANT, client_ids: [CLIENT] })
    expect(azure.check?.(grant.parse({ client_id: CLIENT, ...change }), settings)).toMatch(message)
  })

  it("cannot name a variable for what several tools read from their own", () => {
    const settings = connection.parse({ tenant: TENANT, client_ids: [CLIENT], federated_tokens: true })
    const wanted = grant.parse({ client_id: CLIENT, hand_over: "federated-token", env: "TOKEN" })
    expect(azure.check?.(wanted, settings)).toMatch(/env is only allowed for an access token/)
  })
})

describe("a refusal of Entra's", () => {
  const refused = (codes: readonly unknown[], subject: string) =>
    readRefusal(
      sideOf("azure-prod"),
      { status: 401, header: () => null, body: new TextEncoder().encode(JSON.stringify({ error_codes: codes })) },
      {
        settings: connection.parse({ tenant: TENANT, client_ids: [CLIENT] }),
        clientId: CLIENT,
        scope: SCOPE,
        subject,
      },
    ).detail

  it("tells that a subject is longer than any federated credential can name", () => {
    const subject = `github:repository:41:environment:${"x".repeat(560)}:grant:azure`
    expect(refused([700213], subject)).toContain("has 605 characters, but a federated credential allows at most 600")
    expect(refused([700213], subject.slice(-600))).toContain(subject.slice(-600))
  })

  it("goes by the first number that is known, and by none that is no number of Entra's", () => {
    expect(refused([1, 700024, 700213], "s")).toContain("AADSTS700024")
    expect(refused(["700024", 1.5, null], "s")).toContain("has none of Entra's error codes")
    expect(refused(["__proto__", "constructor", 7], "s")).toContain("sign-in logs")
  })
})

describe("a policy for Entra", () => {
  const ORGANISATION = (boundary: string) => `version: 1
issuers:
  github: { family: github-actions, url: "https://token.actions.githubusercontent.com", owners: { acme: "9001" } }
connections:
  azure-prod: { provider: azure, tenant: ${TENANT}, client_ids: [${CLIENT}], federated_tokens: true }
boundaries:
  - name: all
    when: { repository_id: "41" }
    allow: [{ connection: azure-prod, ${boundary} }]
`
  const POLICY = (fields: string, ttl = "ttl: 90m") => `version: 1
repository: acme/shop
repository_id: "41"
environment: production
allow: [{ name: all, when: { ref: refs/heads/main }, grants: [azure] }]
grants:
  azure: { connection: azure-prod, client_id: ${CLIENT}, ${fields}, ${ttl} }
`
  const load = (organisation: string, policy: string) =>
    loadPolicySet(
      [
        { path: "daypass.yaml", bytes: new TextEncoder().encode(organisation) },
        { path: "p.yaml", bytes: new TextEncoder().encode(policy) },
      ],
      PROVIDERS,
    )

  function outcome(boundary: string, fields: string): string {
    const loaded = load(ORGANISATION(boundary), POLICY(fields))
    if (!loaded.ok) throw new Error(loaded.fault.map(({ message }) => message).join("\n"))
    const { organisation, policiesOf } = loaded.value
    const claims = { ref: "refs/heads/main", event_name: "push", repository: "acme/shop", repository_id: "41" }
    const identity = job({ claims: { ...claims, repository_owner: "acme", repository_owner_id: "9001" } })
    return decide({ organisation, policies: policiesOf(identity), identity, grants: ["azure"] }).outcome
  }

  it("says 90 minutes at least, for Entra gives nothing shorter", () => {
    for (const ttl of ["ttl: 1h", "subscription: e5a7c9b1-8d42-4f60-a3b8-17f2c6d90e35"]) {
      const loaded = load(ORGANISATION("client_id: '**'"), POLICY(`scope: "${SCOPE}"`, ttl))
      expect(loaded.ok ? [] : loaded.fault.map(({ code }) => code)).toEqual(["ttl_too_short"])
    }
  })

  const VAULT = "https://vault.azure.net"
  it.each<[string, string, string, "allow" | "deny"]>([
    ["a scope", `scope: "${SCOPE}"`, `scope: "${SCOPE}"`, "allow"],
    ["a scope", `scope: "${SCOPE}"`, "resource: https://management.azure.com", "allow"],
    ["a resource", `resource: "${VAULT}"`, `scope: "${VAULT}/.default"`, "allow"],
    ["a resource", `resource: "${VAULT}"`, `resource: "${VAULT}"`, "allow"],
    ["a scope", `scope: "${VAULT}/.default"`, `scope: "${SCOPE}"`, "deny"],
    ["a resource", `resource: "${VAULT}"`, "resource: https://management.azure.com", "deny"],
    // The broker's own token is good for every scope of its client, so that a ceiling over scopes must not let it through.
    ["a scope", `scope: "${SCOPE}"`, "hand_over: federated-token", "deny"],
    ["any scope there is", "scope: '**'", "hand_over: federated-token", "deny"],
    ["any resource there is", "resource: '**'", "hand_over: federated-token", "deny"],
    ["the broker's own token", "hand_over: federated-token", "hand_over: federated-token", "allow"],
    ["the broker's own token", "hand_over: federated-token", `scope: "${SCOPE}"`, "deny"],
    ["the client alone", `client_id: ${CLIENT}`, "hand_over: federated-token", "allow"],
  ])("below a ceiling that allows %s (%s): %s is for %s", (_, boundary, fields, expected) => {
    expect(outcome(boundary, fields)).toBe(expected)
  })
})

import { describe, expect, it } from "vitest"
import { decide } from "../../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import { fieldsFor } from "../../../broker/core/policy/template.ts"
import { Secret } from "../../../broker/core/secret.ts"
import type { HttpResponse } from "../../../broker/ports/http.ts"
import { buildTokenRequest, readInstallation } from "../../../broker/providers/github/api.ts"
import { connection, grant, namesOf, toolsOf } from "../../../broker/providers/github/grant.ts"
import { openHandle } from "../../../broker/providers/github/handle.ts"
import { isIssuerBeside } from "../../../broker/providers/github/issuer.ts"
import { loginsOf } from "../../../broker/providers/github/logins.ts"
import { github } from "../../../broker/providers/github/provider.ts"
import { PROVIDERS } from "../../../broker/providers/index.ts"
import { job } from "../job.ts"

const settings = connection.parse({ app_id: "730001", key: "env:APP_KEY", owner: "acme", owner_id: "9001" })
const wanted = { repositories: ["shop"], permissions: { contents: "read" } }
const NOW = new Date("2026-11-22T12:00:00Z")

describe("a connection to GitHub", () => {
  const TAKEN: [string, object][] = [
    ["an App's id", {}],
    ["a client id", { app_id: "Iv23liexampleexample" }],
    ["a client id of old", { app_id: "Iv1.8a61f9b3a7aba766" }],
    ["a user's name of an enterprise", { owner: "octo-cat_acme" }],
    ["a GitHub Enterprise Server", { api_url: "https://github.example.com/api/v3" }],
    ["a ghe.com subdomain", { api_url: "https://api.acme.ghe.com" }],
  ]
  it.each(TAKEN)("may have %s", (_, change) => {
    expect(connection.safeParse({ ...settings, ...change }).success).toBe(true)
  })

  const REFUSED: [string, object][] = [
    ["an id that is a number", { app_id: 730001 }],
    ["an id that would say more to a JSON parser", { app_id: '1","x":"' }],
    ["a key in place of its name", { key: "-----BEGIN RSA PRIVATE KEY-----" }],
    ["the broker's own key", { key: "env:DAYPASS_GITHUB_APP_KEY" }],
    ["an owner that leads elsewhere", { owner: ".." }],
    ["an owner with a path", { owner: "acme/shop" }],
    ["an owner with a query", { owner: "acme?x=" }],
    ["an owner in other letters", { owner: "acmé" }],
    ["an owner without an id", { owner_id: undefined }],
    ["an id in words", { owner_id: "acme" }],
    ["an id with a zero in front", { owner_id: "09001" }],
    ["an id that JSON does not hold", { owner_id: "9".repeat(16) }],
    ["an API over plain http", { api_url: "http://github.example.com/api/v3" }],
    ["an API with a query", { api_url: "https://github.example.com/?" }],
    ["an API with a fragment", { api_url: "https://github.example.com/#" }],
    ["an API with credentials", { api_url: "https://a:b@github.example.com/" }],
    ["a key that there is not", { repositories: ["shop"] }],
  ]
  it.each(REFUSED)("has never %s", (_, change) => {
    expect(connection.safeParse({ ...settings, ...change }).success).toBe(false)
  })
})

describe("a grant of GitHub", () => {
  const TAKEN: [string, object][] = [
    ["one repository", {}],
    ["500, if their names are short", { repositories: Array.from({ length: 500 }, (_, index) => `r${index}`) }],
    ["a name with everything", { repositories: ["Shop_2.x-y", ".github", "..."] }],
    ["ids beside the names", { repositories: ["shop", "docs"], repository_ids: ["42", "41"] }],
    ["one id for a name that stands there twice", { repositories: ["shop", "SHOP"], repository_ids: ["41"] }],
    ["an organisation's permission", { permissions: { members: "read", organization_projects: "admin" } }],
    ["a variable of its own", { env: "RELEASE_TOKEN" }],
  ]
  it.each(TAKEN)("may have %s", (_, change) => {
    expect(grant.safeParse({ ...wanted, ...change }).success).toBe(true)
  })

  const REFUSED: [string, object][] = [
    ["no repositories, which would be all", { repositories: undefined }],
    ["an empty list, which would be all", { repositories: [] }],
    ["null, which would be all", { repositories: null }],
    ["a pattern", { repositories: ["*"] }],
    ["a pattern of some", { repositories: ["shop-*"] }],
    ["an owner", { repositories: ["acme/shop"] }],
    ["a name that leads elsewhere", { repositories: [".."] }],
    ["an empty name", { repositories: [""] }],
    ["a name with a line break", { repositories: ["shop\n"] }],
    ["more than GitHub takes", { repositories: Array(501).fill("shop") }],
    [
      "more than an audit record names",
      { repositories: Array.from({ length: 50 }, (_, index) => `${"x".repeat(90)}${index}`) },
    ],
    ["a text for a list", { repositories: "shop" }],
    ["ids alone", { repositories: undefined, repository_ids: ["41"] }],
    ["fewer ids than names", { repositories: ["shop", "docs"], repository_ids: ["41"] }],
    ["the same id for two names", { repositories: ["shop", "docs"], repository_ids: ["41", "41"] }],
    ["no ids in their place", { repository_ids: [] }],
    ["an id that is a number", { repository_ids: [41] }],
    ["no permissions, which would be all", { permissions: undefined }],
    ["empty permissions, which would be all", { permissions: {} }],
    ["a level that GitHub has not", { permissions: { contents: "all" } }],
    ["an empty level", { permissions: { contents: "" } }],
    ["null for a level", { permissions: { contents: null } }],
    ["a permission as the settings page writes it", { permissions: { "Pull requests": "read" } }],
    ["a permission with a dash, which GitHub would not know", { permissions: { "pull-requests": "read" } }],
    ["a permission that is part of every object", { permissions: JSON.parse('{"__proto__":"read"}') }],
    ["the runner's own variable", { env: "GITHUB_TOKEN" }],
    ["a variable that changes what git runs", { env: "GIT_ASKPASS" }],
    ["a key that there is not", { repository_selection: "all" }],
  ]
  it.each(REFUSED)("has never %s", (_, change) => {
    expect(grant.safeParse({ ...wanted, ...change }).success).toBe(false)
  })

  it("names a repository once, however often it stands there", () => {
    expect(namesOf({ repositories: ["shop", "docs", "Shop"] })).toEqual(["Shop", "docs"])
  })

  it("says in the audit trail what was reached, and how far", () => {
    expect(github.resource(grant.parse({ ...wanted, permissions: { contents: "write", issues: "read" } }))).toBe(
      "shop (contents: write, issues: read)",
    )
  })
})

it.each([
  ["https://api.github.com", "https://token.actions.githubusercontent.com", true],
  ["https://api.github.com", "https://token.actions.githubusercontent.com/acme", true],
  ["https://api.github.com", "https://github.example.com/_services/token", false],
  ["https://github.example.com/api/v3", "https://github.example.com/_services/token", true],
  ["https://github.example.com/api/v3", "https://token.actions.githubusercontent.com", false],
  ["https://api.acme.ghe.com", "https://token.actions.acme.ghe.com", true],
  ["https://api.acme.ghe.com", "https://token.actions.evil.ghe.com", false],
  ["https://api.acme.ghe.com", "https://api.acme.ghe.com", false],
])("of the API %s and the issuer %s, one GitHub knows both's ids: %s", (api, issuer, expected) => {
  expect(isIssuerBeside(api, issuer)).toBe(expected)
})

describe("a grant with a gap", () => {
  const gap = (claim: string) => `$\{${claim}}`
  const ORGANISATION = `version: 1
issuers:
  github: { family: github-actions, url: https://token.actions.githubusercontent.com, owners: { acme: "9001", acme-labs: "9002" } }
connections:
  github-acme: { provider: github, app_id: "730001", key: env:APP_KEY, owner: acme, owner_id: "9001" }
`
  const policy = (repositories: string, owner: string) => `version: 1
repository: ${owner}/svc-*
allow: [{ name: main, when: { ref: refs/heads/main }, grants: [own] }]
grants: { own: { connection: github-acme, repositories: ${repositories}, permissions: { contents: read } } }
`
  const load = (repositories: string, owner = "acme") =>
    loadPolicySet(
      [
        { path: "daypass.yaml", bytes: new TextEncoder().encode(ORGANISATION) },
        { path: "svc.yaml", bytes: new TextEncoder().encode(policy(repositories, owner)) },
      ],
      PROVIDERS,
    )
  const fill = (repositories: string, repository: string) => {
    const loaded = load(repositories)
    if (!loaded.ok) throw new Error(loaded.fault.map(({ message }) => message).join())
    const own = [...loaded.value.policies].flatMap(({ grants }) => [...grants.values()])[0]
    if (!own) throw new Error("no grant")
    return fieldsFor(own, job({ unit: repository }))
  }

  it("reaches the job's own repository", () => {
    expect(fill(`["${gap("repository_name")}"]`, "acme/svc-a")).toMatchObject({
      ok: true,
      value: { repositories: ["svc-a"] },
    })
  })

  it("may come upon a name that stands there already", () => {
    const filled = fill(`[svc-a, "${gap("repository_name")}"]`, "acme/svc-a")
    expect(filled.ok && namesOf(grant.parse(filled.value))).toEqual(["svc-a"])
  })

  describe.each([
    ["of the job's own name", `["${gap("repository_name")}"]`],
    ["of a name that the job's is a part of", `["${gap("repository_name")}-infra"]`],
    ["of the job's name beside another", `[docs, "${gap("repository_name")}"]`],
  ])("for a repository %s", (_, repositories) => {
    const GITHUB = "https://token.actions.githubusercontent.com"
    const ask = (owner: string, ownerId: string, issuerUrl = GITHUB) => {
      const loaded = load(repositories, owner)
      if (!loaded.ok) throw new Error("faults")
      const claims = { ref: "refs/heads/main", event_name: "push" }
      const { environment: _, ...identity } = job({ unit: `${owner}/svc-a`, owner, ownerId, issuerUrl, claims })
      const { organisation, policies } = loaded.value
      const issuers = new Map([...organisation.issuers].map(([name, one]) => [name, { ...one, url: issuerUrl }]))
      return decide({ organisation: { ...organisation, issuers }, policies, identity, grants: ["own"] })
    }

    it("is a job's of the connection's owner", () => {
      expect(ask("acme", "9001").outcome).toBe("allow")
    })

    it.each([
      "https://git.example.com/api/actions",
      "https://gitlab.example.com",
      "https://github.example.com/_services/token",
      "https://token.actions.acme.ghe.com",
    ])("is no job's of %s, although it has given the owner's id to an owner of its own", (issuerUrl) => {
      const decision = ask("acme", "9001", issuerUrl)
      expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed" })
      expect(decision.trace.grants[0]?.reason).toMatch(/the job belongs to another owner/)
    })

    it("is no job's of another owner, whose repository may have the same name", () => {
      const decision = ask("acme-labs", "9002")
      expect(decision).toMatchObject({ outcome: "deny", code: "not_allowed" })
      expect(decision.trace.grants[0]?.reason).toMatch(
        /repositories belong to acme, but the job belongs to another owner/,
      )
    })
  })

  it("and one without are two things: whoever writes the repositories out means them", () => {
    const loaded = load("[svc-a]", "acme-labs")
    if (!loaded.ok) throw new Error("faults")
    const claims = { ref: "refs/heads/main", event_name: "push" }
    const { environment: _, ...identity } = job({
      unit: "acme-labs/svc-a",
      owner: "acme-labs",
      ownerId: "9002",
      claims,
    })
    const { organisation, policies } = loaded.value
    expect(decide({ organisation, policies, identity, grants: ["own"] }).outcome).toBe("allow")
  })

  it("never reaches another's: a claim with an owner in it fills nothing", () => {
    expect(fill(`["${gap("repository")}"]`, "acme/svc-a").ok).toBe(false)
  })
})

describe("a request for a token", () => {
  const app = new Secret("the-jwt")

  it("never says all: it has repositories and permissions, none of them empty", () => {
    const { body } = buildTokenRequest(settings, grant.parse(wanted), 1, app)
    expect(JSON.parse(String(body))).toEqual({ repositories: ["shop"], permissions: { contents: "read" } })
  })

  it("waits for an answer that 500 repositories fit into, and no more than the broker reads of anybody", () => {
    const repositories = Array.from({ length: 500 }, (_, index) => `r${index}`)
    const { maxBytes = 0 } = buildTokenRequest(settings, grant.parse({ ...wanted, repositories }), 1, app)
    expect(maxBytes).toBeGreaterThanOrEqual(500 * 8 * 1024)
    expect(maxBytes).toBeLessThanOrEqual(4 * 1024 * 1024)
    expect(buildTokenRequest(settings, grant.parse(wanted), 1, app).maxBytes).toBeLessThan(128 * 1024)
  })
})

describe("a call for patience", () => {
  const answer = (headers: Readonly<Record<string, string>>): HttpResponse => ({
    status: 403,
    header: (name) => headers[name] ?? null,
    body: new Uint8Array(),
  })
  const reset = String(NOW.getTime() / 1000 + 600)

  it.each([
    ["as long as GitHub says", { "retry-after": "30" }, 30],
    ["until the hour's limit is new", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset }, 600],
  ])("is passed on, %s", (_, headers, retryAfterSeconds) => {
    const read = () => readInstallation({ name: "GitHub", connection: "github-acme" }, answer(headers), settings, NOW)
    expect(read).toThrow(expect.objectContaining({ code: "provider_throttled", retryAfterSeconds }))
  })
})

it("opens a handle that an earlier version sealed", () => {
  const { apiUrl, token } = openHandle(new Secret('{"api_url":"https://api.github.com","token":"ghs_old"}'))
  expect([apiUrl, token.reveal()]).toEqual(["https://api.github.com", "ghs_old"])
})

describe("the tools of a grant", () => {
  const at = (apiUrl: string) => connection.parse({ ...settings, api_url: apiUrl })
  const hostOf = (apiUrl: string) =>
    loginsOf({ as: "git" }, at(apiUrl)).map((login) => ("host" in login ? login.host : ""))

  it.each([
    ["https://api.github.com", "github.com"],
    ["https://api.acme.ghe.com", "acme.ghe.com"],
    ["https://github.example.com/api/v3", "github.example.com"],
    ["https://github.example.com:8443/api/v3", "github.example.com:8443"],
    ["https://api.github.com.example.com/api/v3", "api.github.com.example.com"],
  ])("of %s log in at %s", (apiUrl, host) => {
    expect(hostOf(apiUrl)).toEqual([host])
  })

  it("are git and netrc, each once", () => {
    const parsed = (as: unknown) => grant.safeParse({ ...wanted, as }).success
    expect(["git", "netrc", ["git", "netrc"]].map(parsed)).toEqual([true, true, true])
    expect(["npmrc", "docker", "kubeconfig", [], ["git", "npmrc"]].map(parsed)).toEqual(Array(5).fill(false))
    expect(toolsOf({ as: ["git", "git"] })).toEqual(["git"])
    expect(toolsOf({})).toEqual([])
  })

  it("are not netrc where the host has a port", () => {
    const fault = (as: "git" | "netrc", apiUrl: string) =>
      github.check?.(grant.parse({ ...wanted, as }), at(apiUrl)) ?? null
    expect(fault("netrc", "https://github.example.com:8443/api/v3")).toMatch(/use as: git/)
    expect(fault("git", "https://github.example.com:8443/api/v3")).toBeNull()
    expect(fault("netrc", "https://api.github.com")).toBeNull()
  })
})

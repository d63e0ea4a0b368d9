import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { type GitHub, type MintOptions, startGitHub } from "./github.ts"
import { type Infisical, startInfisical } from "./infisical.ts"

const IDENTITY = "5d0e4c1b-7a62-4f39-8b1d-2c9e6a0f7d34"
const AUDIENCE = "https://app.infisical.com"
const SUBJECT = "github:repository:41:environment:production:grant:infisical"

// Any OIDC issuer can stand where the broker will; the one at hand is the GitHub stand-in.
let issuer: GitHub
let infisical: Infisical

beforeAll(async () => {
  issuer = await startGitHub()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  infisical = await startInfisical()
  infisical.addIdentity({
    id: IDENTITY,
    issuer: issuer.issuer,
    audience: AUDIENCE,
    subject: SUBJECT,
    reads: ["p1/prod/shop/"],
  })
  infisical.addSecret("p1/prod/shop/HOST", "db")
  infisical.addSecret("p1/prod/shop/URL", `https://\${HOST}/\${UNKNOWN}`)
  infisical.addSecret("p1/prod/ROOT", "root")
  infisical.addSecret("p1/prod/shop/eu/KEY", "eu")
  infisical.addSecret("p1/prod/shop/FAR", `\${prod.shop.eu.KEY}`)
  infisical.addSecret("p1/prod/shop/TOO_FAR", `\${prod.ROOT}`)
})
afterEach(() => infisical.close())

const jwt = (claims: Record<string, unknown> = {}, mint: Partial<MintOptions> = {}) =>
  issuer.mint({ sub: SUBJECT, ...claims }, { audience: AUDIENCE, ...mint })

async function post(body: unknown, headers: Record<string, string> = { "content-type": "application/json" }) {
  const response = await fetch(`${infisical.url}/api/v1/auth/oidc-auth/login`, {
    method: "POST",
    body: JSON.stringify(body),
    headers,
  })
  return { status: response.status, body: (await response.json().catch(() => null)) as Record<string, string> | null }
}
const logIn = async () => (await post({ identityId: IDENTITY, jwt: await jwt() })).body?.["accessToken"] ?? ""

async function read(name: string, query: Record<string, string>, token: string) {
  const all = {
    projectId: "p1",
    environment: "prod",
    secretPath: "/shop",
    type: "shared",
    viewSecretValue: "true",
    expandSecretReferences: "true",
    include_imports: "false",
    ...query,
  }
  const response = await fetch(`${infisical.url}/api/v4/secrets/${name}?${new URLSearchParams(all)}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return { status: response.status, body: (await response.json().catch(() => null)) as Record<string, unknown> | null }
}

describe("a login is refused", () => {
  test.each([
    ["for an identity that is not there", 404, "NotFound", { identityId: "another" }, {}, {}],
    ["for another subject", 403, "ForbiddenRequestError", {}, { sub: `${SUBJECT}-2` }, {}],
    [
      "for another subject and audience, by the subject",
      403,
      "ForbiddenRequestError",
      {},
      { sub: "x" },
      { audience: "https://infisical.example" },
    ],
    ["for another audience", 401, "UnauthorizedError", {}, {}, { audience: "https://infisical.example" }],
    ["for a token signed by a stranger", 401, "UnauthorizedError", {}, {}, { key: "stranger" }],
    ["for a token that has expired", 401, "UnauthorizedError", {}, {}, { issuedAt: 1_700_000_000 }],
    ["for what is no token", 401, "UnauthorizedError", { jwt: "x" }, {}, {}],
  ] as const)("%s", async (_, status, error, sent, claims, mint) => {
    const refused = await post({ identityId: IDENTITY, jwt: await jwt(claims, mint), ...sent })
    expect(refused).toMatchObject({ status, body: { statusCode: status, error, message: expect.any(String) } })
  })

  test("when its issuer has a private address, and nobody allowed these", async () => {
    infisical.refusePrivateAddresses()
    const refused = await post({ identityId: IDENTITY, jwt: await jwt() })
    expect(refused).toMatchObject({ status: 400, body: { error: "BadRequest" } })
  })

  test.each([
    ["with a member that it does not have", { identityId: IDENTITY, jwt: "x", ttl: "1h" }, undefined],
    ["without one that it must have", { jwt: "x" }, undefined],
    ["in another form than JSON", { identityId: IDENTITY, jwt: "x" }, { "content-type": "text/plain" }],
  ])("and failed %s", async (_, body, headers) => {
    expect((await post(body, headers)).status).toBe(404)
    await expect(infisical.close()).rejects.toThrow("/api/v1/auth/oidc-auth/login")
    infisical = await startInfisical()
  })
})

describe("a secret is refused", () => {
  test.each([
    ["in a folder that the identity may not read", "ROOT", { secretPath: "/" }, 403, "PermissionDenied"],
    ["in another environment", "HOST", { environment: "dev" }, 403, "PermissionDenied"],
    ["that is not there", "PORT", {}, 404, "NotFound"],
    ["that refers to one in such a folder", "TOO_FAR", {}, 403, "PermissionDenied"],
    ["whose case differs", "host", {}, 404, "NotFound"],
    ["by a folder in its name", "shop%2FHOST", { secretPath: "/" }, 422, "ValidationFailure"],
    ["by a folder in its environment", "HOST", { environment: "prod/shop", secretPath: "/" }, 422, "ValidationFailure"],
    [
      "by an environment in its project",
      "HOST",
      { projectId: "p1/prod", environment: "shop" },
      422,
      "ValidationFailure",
    ],
  ])("%s", async (_, name, query, status, error) => {
    expect(await read(name, query as Record<string, string>, await logIn())).toMatchObject({ status, body: { error } })
  })

  test("once the login's 7200 seconds are over", async () => {
    const token = await logIn()
    vi.useFakeTimers({ toFake: ["Date"] })
    try {
      const start = Date.now()
      vi.setSystemTime(start + 7199_000)
      expect((await read("HOST", {}, token)).status).toBe(200)
      vi.setSystemTime(start + 7200_000)
      expect(await read("HOST", {}, token)).toMatchObject({ status: 403, body: { error: "TokenError" } })
    } finally {
      vi.useRealTimers()
    }
  })

  test("without a login, and with one that has ended", async () => {
    const token = await logIn()
    infisical.endLogins()
    for (const one of ["x", token]) expect((await read("HOST", {}, one)).status).toBe(401)
  })

  test.each([
    { type: "personal" },
    { include_imports: "true" },
    { secretPath: "shop" },
    { secretPath: "/shop/" },
    { x: "1" },
  ])("and failed when asked with %j", async (query) => {
    expect((await read("HOST", query as Record<string, string>, await logIn())).status).toBe(404)
    await expect(infisical.close()).rejects.toThrow("/api/v4/secrets/HOST")
    infisical = await startInfisical()
  })
})

test("a secret is what Infisical's SDKs ask version 3 for, with what they leave out", async () => {
  const headers = { authorization: `Bearer ${await logIn()}` }
  const get = async (query: string) => {
    const response = await fetch(`${infisical.url}/api/v3/secrets/raw/HOST?${query}`, { headers })
    return { status: response.status, body: await response.json().catch(() => null) }
  }
  const secret = { workspace: "p1", environment: "prod", secretKey: "HOST", secretValue: "db" }
  const query = "workspaceId=p1&environment=prod&secretPath=%2Fshop"
  expect(await get(query)).toMatchObject({ status: 200, body: { secret } })
  expect(await get(`${query}&type=shared&viewSecretValue=true&include_imports=false`)).toMatchObject({ status: 200 })
  const ofNode = "secretName=HOST&includeImports=false&expandSecretReferences=true"
  expect(await get(`${query}&${ofNode}`)).toMatchObject({ status: 200, body: { secret } })
  expect((await get("workspaceId=p1&environment=prod")).status).toBe(403)
})

test("all secrets of a folder, and no other's, are listed in version 3", async () => {
  infisical.addSecret("p1/prod/shop/eu/HOST", "eu")
  const query = "workspaceId=p1&workspaceSlug=&environment=prod&secretPath=%2Fshop%2Feu&include_imports=false"
  const response = await fetch(`${infisical.url}/api/v3/secrets/raw?${query}&recursive=false`, {
    headers: { authorization: `Bearer ${await logIn()}` },
  })
  const { secrets, imports } = (await response.json()) as { secrets: { secretKey: string }[]; imports: unknown[] }
  expect([secrets.map(({ secretKey }) => secretKey), imports]).toEqual([["KEY", "HOST"], []])
})

test("all secrets of a folder are listed in version 4, which takes no type and no folders below", async () => {
  infisical.addSecret("p1/prod/shop/eu/HOST", "eu")
  const all = async (query: string) => {
    const place = "projectId=p1&environment=prod&secretPath=%2Fshop%2Feu&include_imports=false"
    const response = await fetch(`${infisical.url}/api/v4/secrets?${place}${query}`, {
      headers: { authorization: `Bearer ${await logIn()}` },
    })
    const body = (await response.json().catch(() => null)) as { secrets?: { secretKey: string }[] } | null
    return body?.secrets?.map(({ secretKey }) => secretKey) ?? response.status
  }
  expect(await all("&recursive=false&includeImports=false&includePersonalOverrides=false")).toEqual(["KEY", "HOST"])
  for (const query of ["&type=shared", "&recursive=true", "&includeImports=true"]) expect(await all(query)).toBe(404)
  await expect(infisical.close()).rejects.toThrow("/api/v4/secrets")
  infisical = await startInfisical()
})

test("a secret says where it stands, with its references resolved or its value hidden as asked", async () => {
  const token = await logIn()
  const place = { workspace: "p1", environment: "prod", secretPath: "/shop", secretKey: "URL", type: "shared" }
  const asked = [{}, { expandSecretReferences: "false" }, { viewSecretValue: "false" }]
  const values = [`https://db/\${UNKNOWN}`, `https://\${HOST}/\${UNKNOWN}`, "<hidden-by-infisical>"]
  for (const [at, query] of asked.entries()) {
    const { body } = await read("URL", query as Record<string, string>, token)
    expect(body?.["secret"]).toMatchObject({ ...place, secretValue: values[at], secretValueHidden: at === 2 })
  }
  expect(infisical.requests[0]).toBe("POST /api/v1/auth/oidc-auth/login 200")
})

test("a secret of another folder is resolved too, where the identity may read it, and only when that is asked for", async () => {
  const token = await logIn()
  const secretOf = async (name: string, expandSecretReferences: string) =>
    (await read(name, { expandSecretReferences }, token)).body?.["secret"]
  expect(await secretOf("FAR", "true")).toMatchObject({ secretValue: "eu" })
  expect(await secretOf("FAR", "false")).toMatchObject({ secretValue: `\${prod.shop.eu.KEY}` })
  expect(await secretOf("TOO_FAR", "false")).toMatchObject({ secretValue: `\${prod.ROOT}` })
})

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { type Azure, type Client, startAzure } from "./azure.ts"
import { type GitHub, type MintOptions, startGitHub } from "./github.ts"

const CLIENT = "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504"
const SUBJECT = "github:repository:41:environment:production:grant:azure-deploy"
const AUDIENCE = "api://AzureADTokenExchange"

// Any OIDC issuer can stand where the broker will; the one at hand is the GitHub stand-in.
let issuer: GitHub
let azure: Azure

beforeAll(async () => {
  issuer = await startGitHub()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  azure = await startAzure()
  trust({})
})
afterEach(() => azure.close())

const credential = () => ({ issuer: issuer.issuer, subject: SUBJECT, audience: AUDIENCE })

const trust = (changes: Partial<Client>) =>
  azure.addClient({ clientId: CLIENT, credentials: [credential()], ...changes })

const token = (claims: Record<string, unknown> = {}, mint: Partial<MintOptions> = {}) =>
  issuer.mint({ sub: SUBJECT, ...claims }, { audience: AUDIENCE, ...mint })

const form = async (changes: Record<string, string | null> = {}) => {
  const fields: Record<string, string | null> = {
    grant_type: "client_credentials",
    client_id: CLIENT,
    scope: "https://vault.azure.net/.default",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: "client_assertion" in changes ? null : await token(),
    ...changes,
  }
  return new URLSearchParams(Object.entries(fields).filter((field): field is [string, string] => field[1] !== null))
}

async function post(body: URLSearchParams | string, headers: Record<string, string> = {}, tenant = azure.tenant) {
  const response = await fetch(`${azure.url}/${tenant}/oauth2/v2.0/token`, { method: "POST", body, headers })
  const answer = (await response.json()) as Record<string, unknown>
  return { status: response.status, answer, codes: answer["error_codes"] }
}

it("gives a token of Entra's shape, and remembers it", async () => {
  const { status, answer } = await post(await form())
  expect(status).toBe(200)
  expect(answer).toMatchObject({ token_type: "Bearer", expires_in: 3_599, ext_expires_in: 3_599 })
  expect(answer["access_token"]).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/)
  expect(azure.issued).toEqual([
    {
      accessToken: answer["access_token"],
      clientId: CLIENT,
      resource: "https://vault.azure.net",
      subject: SUBJECT,
      expiresIn: 3_599,
    },
  ])
  expect(azure.requests).toEqual(["token https://vault.azure.net 200"])
})

describe("MSAL", () => {
  it("is given a token, whatever it says of itself", async () => {
    const body = await form({
      "x-client-SKU": "msal.js.node",
      "x-client-VER": "5.0.0",
      "x-client-OS": "linux",
      "x-client-CPU": "x64",
      "x-ms-lib-capability": "retry-after, h429",
      "x-client-current-telemetry": "5|771,0,,,|,",
      "x-client-last-telemetry": "5|0|||0,0",
      "client-request-id": "3f6d3a5e-6f0b-4d6c-9b7f-0a8a7f1f2c11",
      claims: '{"access_token":{"xms_cc":{"values":["CP1"]}}}',
    })
    const id = "client-request-id=3f6d3a5e-6f0b-4d6c-9b7f-0a8a7f1f2c11"
    const response = await fetch(`${azure.url}/${azure.tenant}/oauth2/v2.0/token?${id}`, { method: "POST", body })
    expect(response.status).toBe(200)
    expect(azure.issued).toHaveLength(1)
  })

  it("finds the token endpoint in the OpenID configuration, also behind a proxy with TLS", async () => {
    const path = `${azure.tenant}/v2.0/.well-known/openid-configuration`
    const get = async (headers: Record<string, string> = {}) =>
      (await (await fetch(`${azure.url}/${path}`, { headers })).json()) as unknown
    const authority = `${azure.url}/${azure.tenant}`
    expect(await get()).toMatchObject({
      issuer: `${authority}/v2.0`,
      token_endpoint: `${authority}/oauth2/v2.0/token`,
    })
    expect(await get({ "x-forwarded-proto": "https" })).toMatchObject({
      token_endpoint: `${authority.replace("http:", "https:")}/oauth2/v2.0/token`,
    })
  })

  it("is told of no other tenant", async () => {
    const response = await fetch(`${azure.url}/another/v2.0/.well-known/openid-configuration`)
    expect([response.status, await response.json()]).toEqual([400, expect.objectContaining({ error_codes: [90002] })])
  })
})

it("words a refusal as Entra does", async () => {
  const { status, answer } = await post(await form({ client_id: "99999999-9999-4999-8999-999999999999" }))
  expect(status).toBe(400)
  expect(answer).toMatchObject({ error: "unauthorized_client", error_codes: [700016] })
  expect(answer["error_description"]).toMatch(/^AADSTS700016: .+ Trace ID: \S+ Correlation ID: \S+ Timestamp: .+Z$/)
})

describe("a form that is wrong is refused before the token is looked at:", () => {
  it.each<[string, Record<string, string | null>, number]>([
    ["no grant type", { grant_type: null }, 900144],
    ["another grant type", { grant_type: "authorization_code" }, 70003],
    ["no client", { client_id: null }, 900144],
    ["a client that is no id", { client_id: "shop-deploy" }, 700016],
    ["no scope", { scope: null }, 900144],
    ["a scope without its end", { scope: "https://vault.azure.net" }, 1002012],
    ["two scopes", { scope: "https://vault.azure.net/.default https://graph.microsoft.com/.default" }, 28002],
    ["no assertion", { client_assertion: null }, 7000218],
    ["no assertion's type", { client_assertion_type: null }, 7000218],
    ["another assertion's type", { client_assertion_type: "urn:x" }, 7000216],
    ["a parameter of another flow", { resource: "https://vault.azure.net" }, 90013],
    ["a secret besides", { client_secret: "x" }, 90013],
    ["claims that are no JSON", { claims: "{" }, 90013],
  ])("%s", async (_, changes, code) => {
    expect((await post(await form(changes))).codes).toEqual([code])
    expect(azure.issued).toEqual([])
  })

  it("a parameter that comes twice", async () => {
    const body = await form()
    body.append("scope", "https://graph.microsoft.com/.default")
    expect((await post(body)).codes).toEqual([90013])
  })

  it("JSON", async () => {
    const body = JSON.stringify(Object.fromEntries(await form()))
    expect((await post(body, { "content-type": "application/json" })).codes).toEqual([900144])
  })

  it("a client that identifies itself in a header, too", async () => {
    expect((await post(await form(), { authorization: "Basic eDp5" })).codes).toEqual([90013])
  })
})

describe("a token is refused", () => {
  it.each<[string, Record<string, unknown>, Partial<MintOptions>, number]>([
    ["of another subject", { sub: `${SUBJECT}-2` }, {}, 700213],
    ["of the same subject in another case", { sub: SUBJECT.toUpperCase() }, {}, 700213],
    ["for another audience", {}, { audience: AUDIENCE.toLowerCase() }, 700212],
    ["of another issuer", { iss: "https://elsewhere.example" }, {}, 700211],
    ["that has expired", { iat: 1_000, nbf: 1_000, exp: 1_300 }, {}, 700024],
    ["that is not valid yet", { nbf: 4_102_444_800 }, {}, 700024],
  ])("%s", async (_, claims, mint, code) => {
    const { status, codes } = await post(await form({ client_assertion: await token(claims, mint) }))
    expect([status, codes]).toEqual([401, [code]])
    expect(azure.issued).toEqual([])
  })

  it("that is none", async () => {
    expect((await post(await form({ client_assertion: "a.b.c" }))).codes).toEqual([50027])
  })

  it("with another signature", async () => {
    const [header, payload] = (await token()).split(".")
    const forged = `${header}.${payload}.${Buffer.alloc(256, 1).toString("base64url")}`
    expect((await post(await form({ client_assertion: forged }))).codes).toEqual([700027])
  })

  it("of an issuer that cannot be reached", async () => {
    const nowhere = "http://127.0.0.1:1"
    trust({ credentials: [{ ...credential(), issuer: nowhere }] })
    expect((await post(await form({ client_assertion: await token({ iss: nowhere }) }))).codes).toEqual([50166])
  })
})

describe("a client is refused", () => {
  it.each<[string, Partial<Client>, number]>([
    ["without federated credentials", { credentials: [] }, 70025],
    ["that is disabled", { disabled: true }, 7000112],
  ])("%s", async (_, changes, code) => {
    trust(changes)
    expect((await post(await form())).codes).toEqual([code])
  })

  it("in a tenant that is not there", async () => {
    expect((await post(await form(), {}, "99999999-9999-4999-8999-999999999999")).codes).toEqual([90002])
  })

  it("for a resource that the tenant does not have, until it has it", async () => {
    const scope = "api://orders/.default"
    expect((await post(await form({ scope }))).codes).toEqual([500011])
    azure.addResource("api://orders")
    expect((await post(await form({ scope }))).status).toBe(200)
  })

  it("with a slash at the resource's end, which is another resource", async () => {
    expect((await post(await form({ scope: "https://vault.azure.net//.default" }))).codes).toEqual([500011])
  })
})

it.each<[string, Client["credentials"]]>([
  ["a subject of 601 characters", [{ issuer: "https://a.example", subject: "x".repeat(601), audience: AUDIENCE }]],
  ["an empty audience", [{ issuer: "https://a.example", subject: "x", audience: "" }]],
  [
    "the same pair twice",
    [
      { issuer: "https://a.example", subject: "x", audience: AUDIENCE },
      { issuer: "https://a.example", subject: "x", audience: "y" },
    ],
  ],
  [
    "21 of them",
    Array.from({ length: 21 }, (_, index) => ({
      issuer: "https://a.example",
      subject: `${index}`,
      audience: AUDIENCE,
    })),
  ],
])("takes no credentials with %s", (_, credentials) => {
  expect(() => trust({ credentials })).toThrow(TypeError)
})

describe("it can misbehave:", () => {
  it("with a code of its own, as often as it is told to", async () => {
    azure.fail(50196, 1)
    expect((await post(await form())).codes).toEqual([50196])
    expect((await post(await form())).status).toBe(200)
  })

  it("with a token that lives for long", async () => {
    azure.fail("long-lived", 1)
    expect((await post(await form())).answer["expires_in"]).toBe(89_999)
  })

  it("as any server does", async () => {
    azure.fail("unavailable")
    const response = await fetch(`${azure.url}/${azure.tenant}/oauth2/v2.0/token`, {
      method: "POST",
      body: await form(),
    })
    expect(response.status).toBe(503)
    azure.fail(null)
    expect((await post(await form())).status).toBe(200)
  })
})

it("fails on what nobody expected", async () => {
  const strange = await startAzure()
  await fetch(`${strange.url}/common/discovery/instance`)
  await fetch(`${strange.url}/${strange.tenant}/oauth2/v2.0/token`)
  expect(() => strange.assertClean()).toThrow(/GET \/common\/discovery\/instance 404/)
  await expect(strange.close()).rejects.toThrow(/oauth2\/v2\.0\/token 404/)
})

// Long because each kind of refusal is one table, and a refusal that stands in none is not tested.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { type GitHub, type MintOptions, startGitHub } from "./github.ts"
import { type Google, type PoolProvider, type ServiceAccount, startGoogle } from "./google.ts"

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"
const PROVIDER = `${POOL}/providers/broker`
const SUBJECT = "github:repository:41:environment:production:grant:google-deploy"
const PRINCIPAL = `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`
const ACCOUNT = "shop-deploy@acme-prod.iam.gserviceaccount.com"
const JUMP = "jump@acme-prod.iam.gserviceaccount.com"
const scope = (name: string) => `https://www.googleapis.com/auth/${name}`

// Any OIDC issuer can stand where the broker will; the one at hand is the GitHub stand-in.
let issuer: GitHub
let google: Google

beforeAll(async () => {
  issuer = await startGitHub()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  google = await startGoogle()
  trust()
  letIn()
})
afterEach(() => google.close())

const trust = (changes: Partial<PoolProvider> = {}) =>
  google.addProvider({ name: PROVIDER, issuer: issuer.issuer, ...changes })

const letIn = (changes: Partial<ServiceAccount> = {}) =>
  google.addServiceAccount({
    email: ACCOUNT,
    bindings: [{ role: "roles/iam.workloadIdentityUser", members: [PRINCIPAL] }],
    ...changes,
  })

const token = (claims: Record<string, unknown> = {}, mint: Partial<MintOptions> = {}) =>
  issuer.mint({ sub: SUBJECT, ...claims }, { audience: `https://iam.googleapis.com/${PROVIDER}`, ...mint })

interface Said {
  readonly status: number
  readonly body: {
    readonly error?: unknown
    readonly access_token?: string
    readonly expires_in?: number
    readonly accessToken?: string
    readonly expireTime?: string
  }
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Said> {
  const response = await fetch(`${google.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, body: JSON.parse(text) as Said["body"] }
}

const exchange = async (changes: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  post(
    "/v1/token",
    {
      grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
      audience: `//iam.googleapis.com/${PROVIDER}`,
      scope: scope("iam"),
      requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
      subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
      ...("subjectToken" in changes ? {} : { subjectToken: await token() }),
      ...changes,
    },
    headers,
  )

async function generate(changes: Record<string, unknown> = {}, account = ACCOUNT, bearer?: string) {
  const login = bearer ?? (await exchange()).body.access_token
  return post(
    `/v1/projects/-/serviceAccounts/${account}:generateAccessToken`,
    { scope: [scope("cloud-platform")], lifetime: "900s", ...changes },
    { authorization: `Bearer ${login}` },
  )
}

const wordOf = ({ body }: Said) => {
  const { error } = body
  return typeof error === "string" ? error : (error as { status?: string } | undefined)?.status
}

describe("an exchange whose form is wrong is refused:", () => {
  const CASES: readonly [string, Record<string, unknown>, string][] = [
    ["another grant type", { grantType: "client_credentials" }, "unsupported_grant_type"],
    ["another token type wanted", { requestedTokenType: "urn:ietf:params:oauth:token-type:jwt" }, "invalid_request"],
    ["another token type given", { subjectTokenType: "urn:ietf:params:oauth:token-type:saml2" }, "invalid_request"],
    ["no scope", { scope: undefined }, "invalid_scope"],
    ["a scope that is none", { scope: scope("everything") }, "invalid_scope"],
    ["an audience with https", { audience: `https://iam.googleapis.com/${PROVIDER}` }, "invalid_request"],
    ["a project's id", { audience: `//iam.googleapis.com/${PROVIDER.replace(/\d+/, "acme")}` }, "invalid_request"],
    ["a pool in place of its provider", { audience: `//iam.googleapis.com/${POOL}` }, "invalid_request"],
    ["a provider that is not there", { audience: `//iam.googleapis.com/${PROVIDER}-2` }, "invalid_target"],
    ["no token", { subjectToken: "" }, "invalid_request"],
    ["a member in OAuth's spelling", { grant_type: "x" }, "INVALID_ARGUMENT"],
  ]
  test.each(CASES)("%s", async (_, changes, word) => {
    const said = await exchange(changes)
    expect([said.status, wordOf(said)]).toEqual([400, word])
    expect(google.issued).toEqual([])
  })

  test("an Authorization, a form, and what is no JSON", async () => {
    expect((await exchange({}, { authorization: "Bearer x" })).status).toBe(401)
    expect((await exchange({}, { "content-type": "application/x-www-form-urlencoded" })).status).toBe(400)
    const form = { "content-type": "application/x-www-form-urlencoded" }
    for (const text of ["grant_type=x", "grantType=x", "scope=a&scope=a"])
      expect((await post("/v1/token", text, form)).status).toBe(400)
    expect((await exchange({}, { "content-type": "application/json-seq" })).status).toBe(400)
    expect((await post("/v1/token", "{")).status).toBe(400)
    expect(google.issued).toEqual([])
  })
})

test("an exchange is taken as a form, too, in which Google's own clients send it", async () => {
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: `//iam.googleapis.com/${PROVIDER}`,
    scope: scope("iam"),
    requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
    subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
    subject_token: await token(),
  })
  const said = await post("/v1/token", form.toString(), {
    "content-type": "application/x-www-form-urlencoded;charset=UTF-8",
  })
  expect([said.status, said.body.access_token]).toEqual([200, google.issued[0]?.token])
})

describe("a token that does not hold is refused:", () => {
  const CASES: readonly [string, () => Promise<string>][] = [
    ["no JWT", async () => "not.a.token"],
    ["another issuer", () => token({ iss: "https://issuer.example" })],
    ["a key that was never published", () => token({}, { key: "stranger" })],
    ["another audience", () => token({}, { audience: "https://elsewhere.example" })],
    ["another provider's audience", () => token({}, { audience: `https://iam.googleapis.com/${PROVIDER}-2` })],
    ["an expired one", () => token({}, { issuedAt: 1_700_000_000 })],
  ]
  test.each(CASES)("%s", async (_, mint) => {
    const said = await exchange({ subjectToken: await mint() })
    expect([said.status, wordOf(said)]).toEqual([400, "invalid_grant"])
  })

  test("the default audience, once the provider lists others", async () => {
    trust({ allowedAudiences: ["https://daypass.example.com"] })
    expect(wordOf(await exchange())).toBe("invalid_grant")
    const other = await token({}, { audience: "https://daypass.example.com" })
    expect((await exchange({ subjectToken: other })).status).toBe(200)
  })

  test("an issuer that does not answer", async () => {
    issuer.fail("jwks", "unavailable", 1)
    expect(wordOf(await exchange())).toBe("invalid_grant")
  })
})

describe("the provider decides:", () => {
  test("a condition that is not met, and a provider that is disabled", async () => {
    trust({ condition: ({ repository_owner_id: id }) => id === "9002" })
    expect(wordOf(await exchange())).toBe("unauthorized_client")
    trust({ disabled: true })
    expect(wordOf(await exchange())).toBe("invalid_target")
  })

  test("a subject of 128 bytes, and none", async () => {
    expect(wordOf(await exchange({ subjectToken: await token({ sub: "s".repeat(128) }) }))).toBe("invalid_request")
    expect((await exchange({ subjectToken: await token({ sub: "s".repeat(127) }) })).status).toBe(200)
    trust({ mapping: { "google.subject": () => undefined } })
    expect(wordOf(await exchange())).toBe("invalid_request")
  })

  test("both default audiences are taken, and the token lives as long as what it was made of", async () => {
    const short = await token({}, { audience: `//iam.googleapis.com/${PROVIDER}`, lifetimeSeconds: 60 })
    const said = await exchange({ subjectToken: short })
    expect(said.status).toBe(200)
    expect(said.body.expires_in).toBeGreaterThan(50)
    expect(said.body.expires_in).toBeLessThanOrEqual(60)
    const long = await exchange({ subjectToken: await token({}, { lifetimeSeconds: 7200 }) })
    expect(long.body.expires_in).toBe(3600)
    expect(google.issued[0]).toMatchObject({ kind: "federated", members: [PRINCIPAL], scopes: [scope("iam")] })
  })
})

describe("an impersonation is refused:", () => {
  const CASES: readonly [string, Record<string, unknown>, number, string][] = [
    ["no scope", { scope: [] }, 400, "INVALID_ARGUMENT"],
    ["a scope that is none", { scope: [scope("everything")] }, 400, "INVALID_ARGUMENT"],
    ["scopes in one text", { scope: scope("iam") }, 400, "INVALID_ARGUMENT"],
    ["a lifetime without its unit", { lifetime: "900" }, 400, "INVALID_ARGUMENT"],
    ["a lifetime in minutes", { lifetime: "15m" }, 400, "INVALID_ARGUMENT"],
    ["a lifetime that is a number", { lifetime: 900 }, 400, "INVALID_ARGUMENT"],
    ["no time at all", { lifetime: "0s" }, 400, "INVALID_ARGUMENT"],
    ["more than an hour", { lifetime: "3601s" }, 400, "INVALID_ARGUMENT"],
    ["a delegate by its address alone", { delegates: [JUMP] }, 400, "INVALID_ARGUMENT"],
    ["a delegate that is not there", { delegates: [`projects/-/serviceAccounts/${JUMP}`] }, 403, "PERMISSION_DENIED"],
    ["an unknown member", { subject: "x" }, 400, "INVALID_ARGUMENT"],
  ]
  test.each(CASES)("%s", async (_, changes, status, word) => {
    const said = await generate(changes)
    expect([said.status, wordOf(said)]).toEqual([status, word])
  })

  test("a bearer that nobody was given, and one for other scopes", async () => {
    expect(wordOf(await generate({}, ACCOUNT, "ya29.d.x"))).toBe("UNAUTHENTICATED")
    const reader = (await exchange({ scope: scope("devstorage.read_only") })).body.access_token
    expect(wordOf(await generate({}, ACCOUNT, reader))).toBe("PERMISSION_DENIED")
  })

  test("an account that is not there, lets somebody else in, or is disabled", async () => {
    expect(wordOf(await generate({}, JUMP))).toBe("PERMISSION_DENIED")
    letIn({ bindings: [{ role: "roles/iam.workloadIdentityUser", members: [`${PRINCIPAL}-2`] }] })
    expect(wordOf(await generate())).toBe("PERMISSION_DENIED")
    letIn({ disabled: true })
    expect(wordOf(await generate())).toBe("FAILED_PRECONDITION")
  })

  test("a project's id in place of the dash", async () => {
    const bearer = (await exchange()).body.access_token
    const path = `/v1/projects/acme-prod/serviceAccounts/${ACCOUNT}:generateAccessToken`
    const said = await post(path, { scope: [scope("iam")] }, { authorization: `Bearer ${bearer}` })
    expect(wordOf(said)).toBe("INVALID_ARGUMENT")
  })
})

describe("an impersonation is granted:", () => {
  test("for the scopes and the time asked", async () => {
    const asked = Date.now()
    const said = await generate({ scope: [scope("pubsub"), scope("bigquery")] })
    expect(said.status).toBe(200)
    expect(said.body.accessToken).toMatch(/^ya29\.c\./)
    const ends = Date.parse(said.body.expireTime ?? "")
    expect(ends).toBeGreaterThan(asked + 899_000)
    expect(ends).toBeLessThanOrEqual(Date.now() + 900_000)
    expect(google.issued.at(-1)).toMatchObject({
      members: [`serviceAccount:${ACCOUNT}`],
      scopes: [scope("pubsub"), scope("bigquery")],
      lifetimeSeconds: 900,
    })
    expect(google.requests).toEqual(["ExchangeToken 200", `GenerateAccessToken ${ACCOUNT} 200`])
  })

  test("for half a day, where the organisation's policy names the account", async () => {
    letIn({ lifetimeExtension: true })
    expect((await generate({ lifetime: "43200s" })).status).toBe(200)
    expect((await generate({ lifetime: "43201s" })).status).toBe(400)
  })

  test("to an attribute's principals", async () => {
    trust({ mapping: { "google.subject": ({ run_id: id }) => id, "attribute.sub": ({ sub }) => sub } })
    const set = `principalSet://iam.googleapis.com/${POOL}/attribute.sub/${SUBJECT}`
    letIn({ bindings: [{ role: "roles/iam.workloadIdentityUser", members: [set] }] })
    expect((await generate()).status).toBe(200)
  })

  test("through delegates, of which the first must let the principal delegate", async () => {
    const chain = { delegates: [`projects/-/serviceAccounts/${JUMP}`] }
    letIn({ bindings: [{ role: "roles/iam.serviceAccountTokenCreator", members: [`serviceAccount:${JUMP}`] }] })
    const jump = (role: "roles/iam.workloadIdentityUser" | "roles/iam.serviceAccountTokenCreator") =>
      google.addServiceAccount({ email: JUMP, bindings: [{ role, members: [PRINCIPAL] }] })
    jump("roles/iam.workloadIdentityUser")
    expect(wordOf(await generate(chain))).toBe("PERMISSION_DENIED")
    jump("roles/iam.serviceAccountTokenCreator")
    expect((await generate(chain)).status).toBe(200)
    expect(wordOf(await generate())).toBe("PERMISSION_DENIED")
  })
})

test("Google can throttle, have an API disabled, and fail as any server", async () => {
  google.fail("sts", "throttled", 1)
  expect([(await exchange()).status, (await exchange()).status]).toEqual([429, 200])
  google.fail("iamcredentials", "service-disabled")
  expect((await generate()).status).toBe(403)
  google.fail("iamcredentials", "unavailable", 1)
  await expect(generate()).rejects.toThrow()
  expect((await generate()).status).toBe(200)
  google.fail("sts", "reset")
  await expect(exchange()).rejects.toThrow()
  google.fail("sts", null)
  expect((await exchange()).status).toBe(200)
})

test("a request that nobody has a reason to make fails the test that made it", async () => {
  const strict = await startGoogle()
  expect((await fetch(`${strict.url}/computeMetadata/v1/`)).status).toBe(404)
  await expect(strict.close()).rejects.toThrow("GET /computeMetadata/v1/ 404")
})

test("the log of requests holds no token", async () => {
  await generate()
  for (const { token: secret } of google.issued) expect(google.requests.join("\n")).not.toContain(secret)
})

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { type Doppler, startDoppler } from "./doppler.ts"
import { type GitHub, type MintOptions, startGitHub } from "./github.ts"

const IDENTITY = "identity-1"
const AUDIENCE = "https://api.doppler.com"
const SUBJECT = "github:repository:41:environment:production:grant:doppler"

// Any OIDC issuer can stand where the broker will; the one at hand is the GitHub stand-in.
let issuer: GitHub
let doppler: Doppler

beforeAll(async () => {
  issuer = await startGitHub()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  doppler = await startDoppler()
  doppler.addIdentity({
    id: IDENTITY,
    issuer: issuer.issuer,
    audience: AUDIENCE,
    subject: SUBJECT,
    configs: ["shop/prd"],
  })
  doppler.addConfig("shop/prd", {
    A: { raw: `\${B}`, computed: "b", visibility: "masked" },
    B: { raw: "b", computed: "b", visibility: "unmasked" },
    RESTRICTED: { raw: "r", computed: "r", visibility: "restricted" },
  })
  doppler.addConfig("bank/prd", {})
})
afterEach(() => doppler.close())

const jwt = (claims: Record<string, unknown> = {}, mint: Partial<MintOptions> = {}) =>
  issuer.mint({ sub: SUBJECT, ...claims }, { audience: AUDIENCE, ...mint })

async function post(body: unknown, headers: Record<string, string> = { "content-type": "application/json" }) {
  const response = await fetch(`${doppler.url}/v3/auth/oidc`, { method: "POST", body: JSON.stringify(body), headers })
  return { status: response.status, body: (await response.json().catch(() => null)) as Record<string, string> | null }
}
const logIn = async () => (await post({ identity: IDENTITY, token: await jwt() })).body?.["token"] ?? ""

async function list(query: Record<string, string>, token: string) {
  const all = { project: "shop", config: "prd", secrets: "A", ...query }
  const response = await fetch(`${doppler.url}/v3/configs/config/secrets?${new URLSearchParams(all)}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  return { status: response.status, body: (await response.json().catch(() => null)) as unknown }
}

describe("a login is refused", () => {
  test.each([
    ["for an identity that is not there", 404, { identity: "another" }, {}, {}],
    ["for another subject", 401, {}, { sub: `${SUBJECT}-2` }, {}],
    ["for another audience", 401, {}, {}, { audience: "https://doppler.example" }],
    ["for a token signed by a stranger", 401, {}, {}, { key: "stranger" }],
    ["for a token that has expired", 401, {}, {}, { issuedAt: 1_700_000_000 }],
    ["for what is no token", 401, { token: "x" }, {}, {}],
  ] as const)("%s", async (_, status, sent, claims, mint) => {
    const refused = await post({ identity: IDENTITY, token: await jwt(claims, mint), ...sent })
    expect(refused).toEqual({ status, body: { messages: [expect.any(String)], success: false } })
  })

  test.each([
    ["with a member that it does not have", { identity: IDENTITY, token: "x", ttl: "1h" }, undefined],
    ["without one that it must have", { identity: IDENTITY }, undefined],
    ["in another form than JSON", { identity: IDENTITY, token: "x" }, { "content-type": "text/plain" }],
  ])("and failed %s", async (_, body, headers) => {
    expect((await post(body, headers)).status).toBe(404)
    await expect(doppler.close()).rejects.toThrow("/v3/auth/oidc")
    doppler = await startDoppler()
  })
})

describe("secrets are refused", () => {
  test.each([
    ["of a config that is not there", { config: "dev" }, 404],
    ["of a project that the account is not in", { project: "bank" }, 400],
  ])("%s", async (_, query, status) => {
    expect((await list(query, await logIn())).status).toBe(status)
  })

  test("once the login's 1800 seconds are over", async () => {
    const token = await logIn()
    vi.useFakeTimers({ toFake: ["Date"] })
    try {
      const start = Date.now()
      vi.setSystemTime(start + 1799_000)
      expect((await list({}, token)).status).toBe(200)
      vi.setSystemTime(start + 1800_000)
      expect((await list({}, token)).status).toBe(401)
    } finally {
      vi.useRealTimers()
    }
  })

  test("without a login, and with one that has ended", async () => {
    const token = await logIn()
    doppler.endLogins()
    for (const one of ["dp.said.x", token]) expect((await list({}, one)).status).toBe(401)
  })

  test.each([{ include_dynamic_secrets: "true" }, { format: "env" }])(
    "and failed when asked with %j",
    async (query) => {
      expect((await list(query as Record<string, string>, await logIn())).status).toBe(404)
      await expect(doppler.close()).rejects.toThrow("/v3/configs/config/secrets")
      doppler = await startDoppler()
    },
  )
})

test("a login is of Doppler's form, and gives the secrets that were named, restricted ones too, and no others", async () => {
  const { status, body } = await post({ identity: IDENTITY, token: await jwt() })
  expect([status, body?.["token"]]).toEqual([200, expect.stringMatching(/^dp\.said\.[\w-]{43}$/)])
  expect(Date.parse(body?.["expires_at"] ?? "")).toBeGreaterThan(Date.now())
  const listed = await list(
    { secrets: "A,RESTRICTED,MISSING", include_dynamic_secrets: "false" },
    body?.["token"] ?? "",
  )
  expect(listed).toEqual({
    status: 200,
    body: {
      success: true,
      secrets: {
        A: { raw: `\${B}`, computed: "b", note: "", rawVisibility: "masked", computedVisibility: "masked" },
        RESTRICTED: {
          raw: "r",
          computed: "r",
          note: "",
          rawVisibility: "restricted",
          computedVisibility: "restricted",
        },
        MISSING: { raw: null, computed: null, note: null, rawVisibility: null, computedVisibility: null },
      },
    },
  })
  const headers = { authorization: `Bearer ${body?.["token"]}` }
  const all = await fetch(`${doppler.url}/v3/configs/config/secrets?project=shop&config=prd`, { headers })
  const { secrets } = (await all.json()) as { secrets: object }
  expect(Object.keys(secrets), "all of them, where none is named").toEqual([
    "DOPPLER_PROJECT",
    "DOPPLER_CONFIG",
    "A",
    "B",
    "RESTRICTED",
  ])
  const own = await fetch(`${all.url}&include_managed_secrets=false`, { headers })
  const { secrets: set } = (await own.json()) as { secrets: object }
  expect(Object.keys(set), "without those that Doppler adds").toEqual(["A", "B", "RESTRICTED"])
  expect(doppler.requests.slice(0, 2)).toEqual(["POST /v3/auth/oidc 200", "GET /v3/configs/config/secrets 200"])
})

test("a single secret comes by its name, with every member null when the config lacks it", async () => {
  const one = async (name: string, token: string, config = "prd") => {
    const query = new URLSearchParams({ project: "shop", config, name })
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`${doppler.url}/v3/configs/config/secret?${query}`, { headers })
    return { status: response.status, body: (await response.json()) as { name?: string; value?: object } }
  }
  const token = await logIn()
  const found = await one("RESTRICTED", token)
  expect(found).toMatchObject({ status: 200, body: { name: "RESTRICTED", value: { computed: "r" }, success: true } })
  const { status, body } = await one("toString", token)
  expect([status, new Set(Object.values(body.value ?? {}))]).toEqual([200, new Set([null])])
  expect((await one("A", token, "dev")).status).toBe(404)
  expect((await one("A", "dp.said.x")).status).toBe(401)
})

// Long because each kind of refusal is one table, and a refusal that stands in none is not tested.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest"
import { type GitHub, type MintOptions, startGitHub } from "./github.ts"
import type { JwtRole } from "./vault/tokens.ts"
import { startVault, type Vault } from "./vault.ts"

const SUBJECT = "github:repository:41:environment:production:grant:vault"
const AUDIENCE = "https://vault.acme.example"
const ROLE: JwtRole = { boundAudiences: [AUDIENCE], boundSubject: SUBJECT, policies: ["shop"], ttlSeconds: 600 }

// Any OIDC issuer can stand where the broker will; the one at hand is the GitHub stand-in.
let issuer: GitHub
let vault: Vault

beforeAll(async () => {
  issuer = await startGitHub()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  vault = await startVault()
  vault.tokens.issuer = issuer.issuer
  vault.tokens.roles.set("shop", ROLE)
  vault.tokens.policies.set("shop", {
    "secret/data/shop/*": ["read"],
    "legacy/shop": ["read"],
    "database/creds/shop-rw": ["read", "update"],
    "gcp/*": ["read", "update"],
    "database/creds/none": ["read"],
    "sys/leases/revoke": ["update"],
  })
  vault.engines.databaseRoles.set("shop-rw", { ttlSeconds: 3_600, maxTtlSeconds: 7_200 })
  vault.engines.put("shop/db", { password: "one" })
  vault.engines.put("shop/db", { password: "two" })
  vault.engines.putLegacy("shop", { pin: 4711 })
})
afterEach(() => vault.close())

interface Said {
  readonly status: number
  readonly errors?: readonly string[]
  readonly lease_id?: string
  readonly lease_duration?: number
  readonly data?: Readonly<Record<string, unknown>>
  readonly auth?: Readonly<Record<string, unknown>>
}

interface Ask {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

async function ask(method: string, path: string, { token, body, headers }: Ask = {}): Promise<Said> {
  const response = await fetch(`${vault.url}/v1/${path}`, {
    method,
    headers: {
      "X-Vault-Request": "true",
      ...(token === undefined ? {} : { "X-Vault-Token": token }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, ...(text === "" ? {} : (JSON.parse(text) as object)) }
}

const jwt = (claims: Record<string, unknown> = {}, mint: Partial<MintOptions> = {}) =>
  issuer.mint({ sub: SUBJECT, ...claims }, { audience: AUDIENCE, ...mint })

const login = async (role = "shop", token?: string) =>
  ask("POST", "auth/jwt/login", { body: { role, jwt: token ?? (await jwt()) } })
const tokenOf = async (role?: string) => String((await login(role)).auth?.["client_token"])

describe("a login is refused", () => {
  it.each<readonly [string, () => Promise<Said>, string]>([
    ["for a role that is not there", () => login("other"), 'role "other" could not be found'],
    ["for another audience", async () => login("shop", await jwt({}, { audience: "https://other.example" })), "aud"],
    ["for two audiences", async () => login("shop", await jwt({}, { audience: [AUDIENCE, "b"] })), "aud"],
    [
      "for another subject",
      async () => login("shop", await jwt({ sub: `${SUBJECT}-2` })),
      "invalid subject (sub) claim",
    ],
    ["for another issuer", async () => login("shop", await jwt({ iss: "https://other.example" })), "issuer (iss)"],
    [
      "for a key that nobody published",
      async () => login("shop", await jwt({}, { key: "stranger" })),
      "verifying token signature",
    ],
    [
      "for an expired token",
      async () => login("shop", await jwt({}, { issuedAt: 1_700_000_000 })),
      "expiration time (exp)",
    ],
    ["for what is no token", () => login("shop", "a.b.c"), "verifying token signature"],
    ["without a token", () => ask("POST", "auth/jwt/login", { body: { role: "shop" } }), "jwt must be specified"],
    [
      "without a token, whatever else is said",
      () => ask("POST", "auth/jwt/login", { body: { role: "shop", token: "x" } }),
      "jwt must be specified",
    ],
    [
      "with a token, which nobody needs for it",
      async () => ask("POST", "auth/jwt/login", { token: "s.x", body: { role: "shop", jwt: await jwt() } }),
      "a header that nobody needs",
    ],
    ["with a body that is no JSON", () => ask("POST", "auth/jwt/login", { body: "role=shop" }), "parse JSON"],
  ])("%s", async (_, act, says) => {
    const { status, errors, auth } = await act()
    expect({ status, auth }).toEqual({ status: 400, auth: undefined })
    expect(errors?.join()).toContain(says)
    expect(vault.alive()).toBe(0)
  })

  it("by a role without audiences, and by one for people", async () => {
    vault.tokens.roles.set("open", { ...ROLE, boundAudiences: [] })
    vault.tokens.roles.set("people", { ...ROLE, roleType: "oidc" })
    const [said, stranger] = [await login("open"), await login("open", await jwt({}, { key: "stranger" }))]
    expect(said.errors).toEqual(["audience claim found in JWT but no audiences bound to the role"])
    expect(stranger.errors?.join()).toContain("verifying token signature")
    expect((await login("people")).errors).toEqual(["role with oidc role_type is not allowed"])
  })

  it("by a method whose issuer cannot be reached", async () => {
    const token = await jwt()
    issuer.fail("discovery", "unavailable", 1)
    expect((await login("shop", token)).errors?.join()).toContain("error configuring token validator")
  })

  it("by more than a minute that the clocks differ, and not by less", async () => {
    const now = Math.floor(Date.now() / 1000)
    const at = async (iat: number, nbf: number, exp: number) =>
      (await login("shop", await jwt({ iat, nbf, exp }))).errors?.join() ?? "good"
    expect(await at(now + 50, now + 50, now + 300)).toBe("good")
    expect(await at(now - 300, now - 300, now - 50)).toBe("good")
    expect(await at(now, now + 70, now + 300)).toContain("not before (nbf)")
    expect(await at(now - 300, now - 300, now - 70)).toContain("expiration time (exp)")
  })

  it("by a method that has no issuer", async () => {
    vault.tokens.issuer = null
    expect((await login()).errors).toEqual(["could not load configuration"])
  })

  it("without the header that says whose request it is, and in a namespace that is not there", async () => {
    const body = { role: "shop", jwt: await jwt() }
    expect((await ask("POST", "auth/jwt/login", { body, headers: { "X-Vault-Request": "" } })).status).toBe(412)
    expect((await ask("POST", "auth/jwt/login", { body, headers: { "X-Vault-Namespace": "acme" } })).status).toBe(404)
  })
})

describe("a call is refused", () => {
  it("in the bare words for a token that is none, and in a list for what policies do not allow", async () => {
    const token = await tokenOf()
    expect(await ask("GET", "secret/data/shop/db", { token: "s.none" })).toEqual({
      status: 403,
      errors: ["permission denied"],
    })
    expect(await ask("GET", "secret/data/shop/db")).toEqual({ status: 403, errors: ["permission denied"] })
    const denied = { status: 403, errors: ["1 error occurred:\n\t* permission denied\n\n"] }
    expect(await ask("GET", "secret/data/other", { token })).toEqual(denied)
    expect(await ask("POST", "secret/data/shop/db", { token, body: {} })).toEqual(denied)
    expect(await ask("GET", "database/creds/other", { token })).toEqual(denied)
  })

  it.each<readonly [string, string, string, Ask, number]>([
    ["that asks for a wrapped answer", "GET", "secret/data/shop/db", { headers: { "X-Vault-Wrap-TTL": "60" } }, 400],
    ["with a query that is no version", "GET", "secret/data/shop/db?list=true", {}, 400],
    ["by another method", "DELETE", "secret/data/shop/db", {}, 405],
    ["with PUT, which is POST to Vault", "PUT", "database/creds/shop-rw", { body: {} }, 405],
    ["for a secret that is not there", "GET", "secret/data/shop/none", {}, 404],
    ["for a version that is not there", "GET", "secret/data/shop/db?version=9", {}, 404],
    ["that writes where is only read", "POST", "database/creds/shop-rw", { body: {} }, 405],
    ["for a database role that is not there", "GET", "database/creds/none", {}, 400],
    ["that revokes nothing", "POST", "sys/leases/revoke", { body: { sync: true } }, 400],
    ["that renews a lease that is not there", "POST", "sys/leases/renew", { body: { lease_id: "x" } }, 400],
    ["whose increment is a text", "POST", "auth/token/renew-self", { body: { increment: "1h" } }, 400],
  ])("%s", async (_, method, path, asked, status) => {
    expect((await ask(method, path, { token: await tokenOf(), ...asked })).status).toBe(status)
  })

  it("while it is sealed", async () => {
    vault.seal(true)
    expect(await login()).toEqual({ status: 503, errors: ["Vault is sealed"] })
    vault.seal(false)
  })

  it("for good when nobody expected it", async () => {
    const other = await startVault()
    await fetch(`${other.url}/ui/`)
    await expect(other.close()).rejects.toThrow("what nobody expected")
  })
})

describe("secrets", () => {
  it("are read in their newest version and in the one that is asked for", async () => {
    const token = await tokenOf()
    const data = async (path: string) => (await ask("GET", path, { token })).data
    expect(await data("secret/data/shop/db")).toMatchObject({ data: { password: "two" }, metadata: { version: 2 } })
    expect(await data("secret/data/shop/db?version=1")).toMatchObject({
      data: { password: "one" },
      metadata: { version: 1 },
    })
    expect(await data("legacy/shop")).toEqual({ pin: 4711 })
  })

  it("are 404 with a body when they were deleted or destroyed", async () => {
    vault.engines.remove("shop/db", 1, "delete")
    vault.engines.remove("shop/db", 2, "destroy")
    const token = await tokenOf()
    const first = await ask("GET", "secret/data/shop/db?version=1", { token })
    expect(first).toMatchObject({ status: 404, data: { data: null, metadata: { destroyed: false, version: 1 } } })
    const second = await ask("GET", "secret/data/shop/db", { token })
    expect(second).toMatchObject({ status: 404, data: { data: null, metadata: { destroyed: true, version: 2 } } })
  })
})

describe("a parameter that a path does not know", () => {
  it("is passed over, and nobody says so", async () => {
    const token = await tokenOf()
    const minted = await ask("POST", "gcp/roleset/shop/token", { token, body: { ttl: "60s", lifetime: "60s" } })
    expect(minted).toMatchObject({ status: 200, lease_id: "", data: { token_ttl: 3_599 } })
    const { status } = await ask("POST", "auth/token/renew-self", { token, body: { increment: 60, made_up: true } })
    expect(status).toBe(200)
  })
})

describe("HashiCorp's own clients", () => {
  it("write with PUT, with no type, and revoke with no body at all", async () => {
    const jwtSent = JSON.stringify({ role: "shop", jwt: await jwt() })
    const put = (path: string, body: string | undefined, headers: Record<string, string> = {}) =>
      fetch(`${vault.url}/v1/${path}`, {
        method: "PUT",
        headers: { "X-Vault-Request": "true", ...headers },
        // Bytes, so that fetch says no type either.
        ...(body === undefined ? {} : { body: new TextEncoder().encode(body) }),
      })
    const said = (await (await put("auth/jwt/login", jwtSent)).json()) as { auth: { client_token: string } }
    const token = { "X-Vault-Token": said.auth.client_token }
    expect((await put("auth/token/renew-self", '{"increment":60}', token)).status).toBe(200)
    expect((await put("auth/token/revoke-self", undefined, token)).status).toBe(204)
    expect(vault.alive()).toBe(0)
  })
})

describe("leases and tokens", () => {
  it("are counted until they are revoked", async () => {
    const token = await tokenOf()
    const minted = await ask("GET", "database/creds/shop-rw", { token })
    expect(vault.engines.letsIn(minted.data ?? {})).toBe(true)
    expect(vault.alive()).toBe(2)
    expect(
      (await ask("POST", "sys/leases/revoke", { token, body: { lease_id: minted.lease_id, sync: true } })).status,
    ).toBe(204)
    expect(vault.engines.letsIn(minted.data ?? {})).toBe(false)
    expect((await ask("POST", "sys/leases/revoke", { token, body: { lease_id: minted.lease_id } })).status).toBe(204)
    expect((await ask("POST", "auth/token/revoke-self", { token, body: {} })).status).toBe(204)
    expect(vault.alive()).toBe(0)
    expect(await ask("POST", "auth/token/revoke-self", { token, body: {} })).toEqual({
      status: 403,
      errors: ["permission denied"],
    })
  })

  it("end together when the token is revoked", async () => {
    const token = await tokenOf()
    await ask("GET", "database/creds/shop-rw", { token })
    await ask("POST", "auth/token/revoke-self", { token, body: {} })
    expect(vault.alive()).toBe(0)
  })

  it("end with the token when it is over before they are", async () => {
    const token = await tokenOf()
    const { data } = await ask("GET", "database/creds/shop-rw", { token })
    vi.useFakeTimers({ toFake: ["Date"] })
    try {
      vi.setSystemTime(Date.now() + (ROLE.ttlSeconds - 2) * 1000)
      expect(vault.engines.letsIn(data ?? {})).toBe(true)
      vi.setSystemTime(Date.now() + 2_000)
      expect(vault.engines.letsIn(data ?? {})).toBe(false)
      expect((await ask("GET", "secret/data/shop/db", { token })).status).toBe(403)
    } finally {
      vi.useRealTimers()
    }
  })

  it("are shortened by a renewal, and not made longer than their roles allow", async () => {
    vault.tokens.roles.set("shop", { ...ROLE, maxTtlSeconds: 900 })
    const token = await tokenOf()
    const { lease_id } = await ask("GET", "database/creds/shop-rw", { token })
    const renewed = async (increment: number) =>
      (await ask("POST", "sys/leases/renew", { token, body: { lease_id, increment } })).lease_duration
    expect(await renewed(120)).toBe(120)
    expect(vault.engines.leases[0]).toBeLessThanOrEqual(120)
    expect(await renewed(90_000)).toBeLessThanOrEqual(7_200)
    const self = await ask("POST", "auth/token/renew-self", { token, body: { increment: 3_600 } })
    expect(self.auth?.["lease_duration"]).toBeLessThanOrEqual(900)
  })

  it("say what they may do to themselves", async () => {
    vault.tokens.roles.set("bare", { ...ROLE, noDefaultPolicy: true })
    const body = { paths: ["auth/token/revoke-self", "sys/leases/revoke", "sys/seal"] }
    const may = await ask("POST", "sys/capabilities-self", { token: await tokenOf(), body })
    expect(may.data).toEqual({
      "auth/token/revoke-self": ["update"],
      "sys/leases/revoke": ["update"],
      "sys/seal": ["deny"],
    })
    const one = await ask("POST", "sys/capabilities-self", {
      token: await tokenOf(),
      body: { path: "secret/data/shop/db" },
    })
    expect(one.data).toEqual({ "secret/data/shop/db": ["read"], capabilities: ["read"] })
    expect((await ask("POST", "sys/capabilities-self", { token: await tokenOf(), body: {} })).status).toBe(400)
    const bare = await tokenOf("bare")
    expect((await ask("POST", "sys/capabilities-self", { token: bare, body })).status).toBe(403)
    expect((await ask("POST", "auth/token/revoke-self", { token: bare, body: {} })).status).toBe(403)
  })

  it("of a role with a hard end are not renewed beyond it, and periodic ones are renewed for their period", async () => {
    vault.tokens.roles.set("hard", { ...ROLE, explicitMaxTtlSeconds: 1_200 })
    vault.tokens.roles.set("periodic", { ...ROLE, periodSeconds: 300 })
    const [hard, periodic] = [await tokenOf("hard"), await tokenOf("periodic")]
    const renewed = async (token: string) =>
      (await ask("POST", "auth/token/renew-self", { token, body: { increment: 3_600 } })).auth?.["lease_duration"]
    expect(await renewed(hard)).toBeLessThanOrEqual(1_200)
    expect(await renewed(periodic)).toBe(300)
    const itself = async (token: string) => (await ask("GET", "auth/token/lookup-self", { token })).data
    expect(await itself(hard)).toMatchObject({ explicit_max_ttl: 1_200 })
    expect(await itself(periodic)).toMatchObject({ explicit_max_ttl: 0, period: 300 })
    expect(await itself(await tokenOf())).not.toHaveProperty("period")
  })

  it("of a batch role cannot be renewed or revoked, and of a role that counts uses end", async () => {
    vault.tokens.roles.set("batch", { ...ROLE, type: "batch" })
    vault.tokens.roles.set("twice", { ...ROLE, uses: 2 })
    const batch = await tokenOf("batch")
    expect((await ask("POST", "auth/token/revoke-self", { token: batch, body: {} })).status).toBe(400)
    expect((await ask("POST", "auth/token/renew-self", { token: batch, body: {} })).status).toBe(400)
    expect(vault.alive()).toBe(0)
    const twice = await tokenOf("twice")
    const read = async () => (await ask("GET", "secret/data/shop/db", { token: twice })).status
    expect([await read(), await read(), await read()]).toEqual([200, 200, 403])
  })
})

it("fails as often as it is told to, and does nothing of what is asked meanwhile", async () => {
  vault.fail("unavailable", 1)
  const failed = await fetch(`${vault.url}/v1/auth/jwt/login`, { method: "POST" })
  expect([failed.status, vault.alive()]).toEqual([503, 0])
  expect((await login()).status).toBe(200)
})

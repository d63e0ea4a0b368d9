import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createGitHubApp, type Question } from "../../broker/adapters/github/app.ts"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { Secret } from "../../broker/core/secret.ts"
import { HttpError, type HttpFailure } from "../../broker/ports/http.ts"
import type { Limit } from "../support/github-api.ts"
import { ACME, type GitHubWorld, MINUTE, makeGitHubWorld, OTHERS, SHOP_ID } from "./github-world.ts"

let world: GitHubWorld
beforeEach(async () => {
  world = await makeGitHubWorld()
})
afterEach(() => world.api.close())

const INSTALLATION = `GET /repositories/${SHOP_ID}/installation 200`
const TOKEN = "POST /app/installations/51000000/access_tokens 201"
const REPOSITORY = `GET /repositories/${SHOP_ID} 200`

const question = (change: Partial<Question> = {}): Question => ({
  repositoryId: String(SHOP_ID),
  permission: "contents",
  path: "",
  maxBytes: 64 * 1024,
  deadline: world.clock.elapsed() + 10_000,
  ...change,
})
const get = (change: Partial<Question> = {}) => world.app.get(question(change))

describe("a GitHub App", () => {
  test.each(["pkcs1", "pkcs8"] as const)("reads a repository with its key in %s", async (form) => {
    await world.api.close()
    world = await makeGitHubWorld(form)
    expect(await get()).toMatchObject({ outcome: "ok", body: { id: SHOP_ID, full_name: "acme/shop" } })
    expect(world.asked()).toEqual([INSTALLATION, TOKEN, REPOSITORY])
  })

  test("asks for a token once, and uses it until five minutes before its end", async () => {
    await get()
    world.asked()
    world.clock.advance(55 * MINUTE - 1)
    await get()
    expect(world.asked()).toEqual([REPOSITORY])
    world.clock.advance(1)
    await get()
    expect(world.asked()).toEqual([INSTALLATION, TOKEN, REPOSITORY])
  })

  test("asks for a token of its own for each permission and each repository", async () => {
    world.api.host(42, ACME, "tools")
    await get()
    await get({ permission: "actions" })
    await get({ repositoryId: "42" })
    expect(world.asked().filter((line) => line === TOKEN)).toHaveLength(3)
  })

  test("gets a token that is good for that repository and that permission only", async () => {
    world.api.host(42, ACME, "tools")
    world.shop.environments.set("production", {})
    expect(await get({ path: "/environments/production" })).toEqual({ outcome: "no-access", why: "permission" })
    expect(await get({ path: "/../42" })).toEqual({ outcome: "no-access", why: "not-visible" })
  })

  test("asks on condition with an ETag, and is told that nothing changed", async () => {
    const first = await get()
    if (first.outcome !== "ok") throw new Error(first.outcome)
    expect(first.etag).toMatch(/^W\/"/)
    expect(await get({ etag: first.etag })).toEqual({ outcome: "not-modified" })
    world.shop.name = "store"
    expect(await get({ etag: first.etag })).toMatchObject({ outcome: "ok", body: { full_name: "acme/store" } })
  })

  test("sends nothing for what is no repository's id", async () => {
    for (const unitId of ["", "0", "-1", "41/../42", "4e1", "041", "9".repeat(17)]) {
      expect(await get({ repositoryId: unitId })).toMatchObject({ outcome: "failed" })
    }
    expect(world.asked()).toEqual([])
  })

  test("sends nothing when there is no time left", async () => {
    expect(await get({ deadline: world.clock.elapsed() })).toMatchObject({ outcome: "failed" })
    expect(world.asked()).toEqual([])
  })

  test("with a key that is none does not come to be, and its key is not shown", async () => {
    const { clock, api } = world
    const http = createHttp({ userAgent: "daypass-test/1" })
    const key = new Secret("-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----")
    const made = createGitHubApp({ apiUrl: api.url, appId: api.appId, key, http, clock })
    await expect(made).rejects.toMatchObject({ code: "configuration_invalid" })
    await expect(made).rejects.not.toThrow(/c2VjcmV0|secret/)
  })
})

describe("no access is said to", () => {
  test("an App that is not installed", async () => {
    world.api.uninstall(world.installation)
    expect(await get()).toEqual({ outcome: "no-access", why: "not-installed" })
  })

  test("an App that is installed on other repositories of the owner", async () => {
    world.installation.repositories = [77]
    expect(await get()).toEqual({ outcome: "no-access", why: "not-installed" })
  })

  test("a repository that is not there", async () => {
    expect(await get({ repositoryId: "999" })).toEqual({ outcome: "no-access", why: "not-installed" })
  })

  test("an installation that is suspended, before and after its token was given", async () => {
    await get()
    world.installation.suspendedAt = "2026-11-22T09:00:00Z"
    expect(await get()).toEqual({ outcome: "no-access", why: "suspended" })
    world.asked()
    expect(await get({ permission: "actions" })).toEqual({ outcome: "no-access", why: "suspended" })
    expect(world.asked()).toEqual([INSTALLATION])
  })

  test("an installation without the permission", async () => {
    world.installation.permissions = { actions: "read" }
    expect(await get()).toEqual({ outcome: "no-access", why: "permission" })
    expect(world.asked()).toEqual([INSTALLATION])
  })

  test.each([403, 404, 422])("an installation that gives no token and says %i", async (status) => {
    world.api.override(/access_tokens$/, { status, body: { message: "No." } })
    expect(await get()).toMatchObject({ outcome: "no-access" })
  })

  test("an App that GitHub does not know, or whose key it does not know", async () => {
    const { clock, api } = world
    const http = createHttp({ userAgent: "daypass-test/1" })
    const other = await crypto.subtle.generateKey(
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
      true,
      ["sign", "verify"],
    )
    const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", other.privateKey)).toString("base64")
    const foreign = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`
    for (const { appId, pem } of [
      { appId: "1", pem: api.key.pkcs1 },
      { appId: api.appId, pem: foreign },
    ]) {
      const app = await createGitHubApp({ apiUrl: api.url, appId, key: new Secret(pem), http, clock })
      expect(await app.get(question())).toEqual({ outcome: "no-access", why: "app-rejected" })
    }
  })

  test("a repository that was transferred to an owner without the App", async () => {
    await get()
    world.shop.owner = OTHERS
    expect(await get()).toEqual({ outcome: "no-access", why: "not-installed" })
  })
})

describe("a token that no longer works", () => {
  test("is replaced within the same question", async () => {
    await get()
    world.api.revokeTokens()
    world.asked()
    expect(await get()).toMatchObject({ outcome: "ok" })
    expect(world.asked()).toEqual([`GET /repositories/${SHOP_ID} 401`, INSTALLATION, TOKEN, REPOSITORY])
  })

  test("is replaced by one of the new owner's installation after a transfer", async () => {
    await get()
    world.api.install(OTHERS)
    world.shop.owner = OTHERS
    expect(await get()).toMatchObject({ outcome: "ok", body: { owner: { id: OTHERS.id } } })
  })

  test("gets a permission that was granted meanwhile", async () => {
    world.installation.permissions = { contents: "read" }
    expect(await get({ permission: "actions" })).toMatchObject({ outcome: "no-access" })
    world.installation.permissions = { contents: "read", actions: "read" }
    world.shop.environments.set("production", {})
    expect(await get({ permission: "actions", path: "/environments/production" })).toMatchObject({ outcome: "ok" })
  })

  test("fresh from GitHub is not asked for again and again", async () => {
    world.api.override(/^\/repositories\/[0-9]+$/, { status: 401, body: { message: "Bad credentials" } })
    expect(await get()).toMatchObject({ outcome: "failed" })
    expect(world.asked()).toEqual([INSTALLATION, TOKEN, `GET /repositories/${SHOP_ID} 401`])
  })
})

describe("a token is not used that", () => {
  const good = { token: `ghs_${"x".repeat(36)}`, expires_at: "2026-11-22T11:00:00Z", permissions: { contents: "read" } }
  const answers: [string, unknown, unknown][] = [
    ["has ended", { ...good, expires_at: "2026-11-22T10:00:00Z" }, { outcome: "failed" }],
    ["has no end", { ...good, expires_at: undefined }, { outcome: "failed" }],
    ["has an end that is no time", { ...good, expires_at: "tomorrow" }, { outcome: "failed" }],
    ["is empty", { ...good, token: "" }, { outcome: "failed" }],
    ["would break out of its header", { ...good, token: `ghs_${"x".repeat(36)}\r\nx: y` }, { outcome: "failed" }],
    ["has no permissions", { ...good, permissions: {} }, { outcome: "no-access", why: "permission" }],
    [
      "has other permissions",
      { ...good, permissions: { actions: "read" } },
      { outcome: "no-access", why: "permission" },
    ],
    ["has the permission to nothing", { ...good, permissions: { contents: "none" } }, { outcome: "no-access" }],
    ["is for another repository", { ...good, repositories: [{ id: 42 }] }, { outcome: "failed" }],
    ["is for another repository too", { ...good, repositories: [{ id: 41 }, { id: 42 }] }, { outcome: "failed" }],
    ["is for no repository", { ...good, repositories: [] }, { outcome: "failed" }],
  ]
  test.each(answers)("%s", async (_, body, expected) => {
    world.api.override(/access_tokens$/, { status: 201, body })
    expect(await get()).toMatchObject(expected as object)
    expect(world.asked()).toEqual([INSTALLATION, TOKEN])
  })

  test("came with another status than 201", async () => {
    world.api.override(/access_tokens$/, { status: 200, body: good })
    expect(await get()).toMatchObject({ outcome: "failed" })
  })

  test("and one of the longer form is used", async () => {
    const token = `ghs_730001_${"e".repeat(1200)}`
    world.api.override(/access_tokens$/, { status: 201, body: { ...good, token } })
    // The stand-in did not give it: that it was sent is what counts.
    await get()
    expect(world.asked()).toEqual([INSTALLATION, TOKEN, `GET /repositories/${SHOP_ID} 401`])
  })
})

describe("while GitHub asks for patience", () => {
  const limits: [string, Limit, number][] = [
    ["primary, 403", { kind: "primary", status: 403, resetInSeconds: 900 }, 900],
    ["primary, 429", { kind: "primary", status: 429, resetInSeconds: 900 }, 900],
    ["secondary, 403", { kind: "secondary", status: 403, retryAfterSeconds: 30 }, 30],
    ["secondary, 429", { kind: "secondary", status: 429, retryAfterSeconds: 30 }, 30],
    ["secondary, in words only", { kind: "unsaid" }, 60],
  ]
  test.each(limits)("nothing is sent (%s)", async (_, limit, seconds) => {
    await get()
    world.api.limit(limit)
    expect(await get()).toEqual({ outcome: "rate-limited", retryAfterSeconds: seconds })
    world.asked()
    world.clock.advance(seconds - 1)
    expect(await get()).toEqual({ outcome: "rate-limited", retryAfterSeconds: 1 })
    expect(world.asked()).toEqual([])
    world.api.limit(null)
    world.clock.advance(1)
    expect(await get()).toMatchObject({ outcome: "ok" })
  })

  test("for other repositories of the same installation neither", async () => {
    world.api.host(42, ACME, "tools")
    await get()
    await get({ repositoryId: "42" })
    world.api.limit({ kind: "secondary", status: 403, retryAfterSeconds: 30 })
    await get()
    world.asked()
    expect(await get({ repositoryId: "42" })).toMatchObject({ outcome: "rate-limited" })
    expect(world.asked()).toEqual([])
  })

  test("for installations of other owners it is", async () => {
    world.api.host(43, OTHERS, "site")
    world.api.install(OTHERS)
    await get()
    await get({ repositoryId: "43" })
    world.api.limit({ kind: "secondary", status: 403, retryAfterSeconds: 30 })
    await get()
    world.api.limit(null)
    expect(await get({ repositoryId: "43" })).toMatchObject({ outcome: "ok" })
  })

  test("with the App itself, for tokens", async () => {
    world.api.limit({ kind: "secondary", status: 429, retryAfterSeconds: 30 })
    expect(await get()).toEqual({ outcome: "rate-limited", retryAfterSeconds: 30 })
    world.asked()
    expect(await get()).toEqual({ outcome: "rate-limited", retryAfterSeconds: 30 })
    expect(world.asked()).toEqual([])
  })
})

describe("a GitHub that fails", () => {
  test.each(["reset", "unavailable", "oversized", "garbage", "redirect"] as const)(
    "by %s says nothing",
    async (how) => {
      await get()
      world.api.fail(how, 1)
      expect(await get()).toMatchObject({ outcome: "failed" })
      expect(await get()).toMatchObject({ outcome: "ok" })
    },
  )

  test("by keeping silent is left after at most five seconds", async () => {
    const timeouts: number[] = []
    const http = async ({ timeoutMs }: { readonly timeoutMs: number }): Promise<never> => {
      timeouts.push(timeoutMs)
      throw new HttpError("timeout" satisfies HttpFailure)
    }
    const { clock, api } = world
    const key = new Secret(api.key.pkcs8)
    const app = await createGitHubApp({ apiUrl: api.url, appId: api.appId, key, http, clock })
    const now = clock.elapsed()
    expect(await app.get(question({ deadline: now + 60_000 }))).toMatchObject({ outcome: "failed" })
    await app.get(question({ deadline: now + 700 }))
    expect(timeouts).toEqual([5_000, 700])
  })
})

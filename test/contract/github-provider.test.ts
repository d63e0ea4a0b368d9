import { generateKeyPairSync } from "node:crypto"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createHttp } from "../../broker/adapters/web/http.ts"
import { BrokerError } from "../../broker/core/errors.ts"
import { Secret } from "../../broker/core/secret.ts"
import { CASE_SUBJECT } from "../../broker/providers/case.ts"
import { connection, grant } from "../../broker/providers/github/grant.ts"
import { github } from "../../broker/providers/github/provider.ts"
import { LeftAliveError, type Minted, type ProviderIo } from "../../broker/providers/provider.ts"
import { job } from "../core/job.ts"
import { type GitHubApi, type Installation, startGitHubApi } from "../support/github-api.ts"
import { makeProviderIo } from "../support/provider-io.ts"
import { ACME, MINUTE, movableClock, OTHERS } from "./github-world.ts"

const WANTED = { repositories: ["shop"], permissions: { contents: "write" } }
const FIND = "GET /users/acme/installation 200"
const GIVE = "POST /app/installations/51000000/access_tokens 201"

let clock: ReturnType<typeof movableClock>
let api: GitHubApi
let installation: Installation
let key: string
let io: ProviderIo
beforeEach(async () => {
  clock = movableClock()
  api = await startGitHubApi({ now: () => clock.now(), tokens: "stateless" })
  api.host(41, ACME, "shop")
  api.host(42, ACME, "docs")
  api.host(77, OTHERS, "site")
  installation = api.install(ACME, { permissions: { contents: "write", issues: "read" } })
  key = api.key.pkcs1
  io = makeIo()
})
afterEach(() => api.close())

/** What a provider may touch, with real HTTP, and a clock that may be slow. */
const makeIo = (behindMs = 0): ProviderIo =>
  makeProviderIo({
    http: createHttp({ userAgent: "daypass-test/1" }),
    now: () => new Date(clock.now().getTime() - behindMs),
    secrets: {
      get APP_KEY() {
        return key
      },
    },
    identityToken: () => Promise.reject(new Error("GitHub is told nothing of the job")),
  })

const settings = (change: object = {}) =>
  connection.parse({
    app_id: api.appId,
    key: "env:APP_KEY",
    owner: "acme",
    owner_id: "9001",
    api_url: api.url,
    ...change,
  })

const mint = (change: object = {}, connectionChange: object = {}, asked: ProviderIo = io): Promise<Minted> =>
  github.mint(
    {
      identity: job(),
      grantName: "release",
      subject: CASE_SUBJECT,
      connectionName: "github-acme",
      connection: settings(connectionChange),
      grant: grant.parse({ ...WANTED, ...change }),
      ttlSeconds: 600,
      lease: "b7e1c9f0-0000-4000-8000-000000000000",
    },
    asked,
  )

function tokenOf({ handle, values }: Minted): string {
  const value = values["token"]?.value
  if (!(value instanceof Secret)) throw new Error("the token is no secret")
  expect(JSON.parse(handle?.reveal() ?? ""), "what ends it is the token, at the API that gave it").toEqual({
    api_url: api.url,
    token: value.reveal(),
  })
  return value.reveal()
}

const revoke = ({ handle = new Secret("") }: Partial<Minted>) => github.revoke?.(handle, "github-acme", io)

async function statusOf(path: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, "user-agent": "a-job" }
  return (await fetch(`${api.url}${path}`, { headers })).status
}

describe("a token of the provider github", () => {
  test.each(["pkcs1", "pkcs8"] as const)("is good for its repository alone, by a key in %s", async (form) => {
    key = api.key[form]
    const minted = await mint()
    expect(minted).toMatchObject({ revocation: "revocable", expiresAt: new Date("2026-11-22T11:00:00Z") })
    expect(await statusOf("/repositories/41", tokenOf(minted))).toBe(200)
    expect(await statusOf("/repositories/42", tokenOf(minted))).toBe(404)
    expect(await statusOf("/repositories/41/environments/x", tokenOf(minted))).toBe(403)
  })

  test("is ended, and ended again", async () => {
    const minted = await mint()
    const other = await mint()
    await revoke(minted)
    expect(await statusOf("/repositories/41", tokenOf(minted))).toBe(401)
    expect(await statusOf("/repositories/41", tokenOf(other))).toBe(200)
    await revoke(minted)
    expect(api.tokensAlive).toBe(1)
  })

  test("is ended where it was given, and shown to no other GitHub that the connection points at by then", async () => {
    const minted = await mint()
    const other = await startGitHubApi({ tokens: "stateless" })
    await revoke(minted)
    expect(other.requests).toEqual([])
    expect(api.tokensAlive).toBe(0)
    await other.close()
  })

  test.each(["", "{}", "ghs_alone", '{"api_url":"https://evil.example"}'])(
    "is not looked for in %j, which is no handle",
    async (text) => {
      await expect(revoke({ handle: new Secret(text) })).rejects.toMatchObject({ code: "internal" })
      expect(api.requests).toEqual([])
    },
  )

  test("is ended with its hour, and with the App", async () => {
    const minted = await mint()
    clock.advance(60 * MINUTE)
    await revoke(minted)
    const last = await mint()
    api.uninstall(installation)
    await revoke(last)
    expect(api.tokensAlive).toBe(0)
  })

  test("stays on the lease's account while GitHub does not end it", async () => {
    const minted = await mint()
    installation.suspendedAt = "2026-11-22T10:00:00Z"
    await expect(revoke(minted)).rejects.toMatchObject({ code: "provider_denied" })
    installation.suspendedAt = null
    api.limit({ kind: "secondary", status: 403, retryAfterSeconds: 7 })
    await expect(revoke(minted)).rejects.toMatchObject({ code: "provider_throttled", retryAfterSeconds: 7 })
    api.limit(null)
    await revoke(minted)
    expect(api.tokensAlive).toBe(0)
  })
})

describe("the installation", () => {
  test("is looked up once for the jobs of one run", async () => {
    await mint()
    await mint()
    expect(api.requests).toEqual([FIND, GIVE, GIVE])
  })

  test("is looked up again when it is another one by now", async () => {
    await mint()
    api.uninstall(installation)
    const next = api.install(ACME, { permissions: { contents: "write" } })
    await mint()
    expect(api.requests.slice(2)).toEqual([
      "POST /app/installations/51000000/access_tokens 404",
      FIND,
      `POST /app/installations/${next.id}/access_tokens 201`,
    ])
  })

  test("that is gone is no reason to look more than once", async () => {
    await mint()
    api.uninstall(installation)
    await expect(mint()).rejects.toMatchObject({ code: "provider_denied" })
    expect(api.requests.slice(2)).toEqual([
      "POST /app/installations/51000000/access_tokens 404",
      "GET /users/acme/installation 404",
    ])
  })

  const REFUSED: [string, () => unknown, RegExp][] = [
    ["not there", () => api.uninstall(installation), /not installed on acme/],
    ["suspended", () => Object.assign(installation, { suspendedAt: "2026-11-22T10:00:00Z" }), /is suspended/],
    ["without the permission", () => Object.assign(installation, { permissions: {} }), /lacks some of contents: write/],
    ["with less", () => Object.assign(installation, { permissions: { contents: "read" } }), /lacks some of contents/],
    ["without the repository", () => Object.assign(installation, { repositories: [42] }), /not include all of shop/],
    [
      "of another App",
      () => {
        key = foreignKey()
      },
      /Check app_id and key/,
    ],
  ]
  test.each(REFUSED)("that is %s gives nothing, and the sentence says why", async (_, change, says) => {
    change()
    const error = await mint().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BrokerError)
    expect(error).toMatchObject({ code: "provider_denied", detail: expect.stringMatching(says) })
    expect(api.tokensAlive).toBe(0)
  })

  test("of a name that somebody else has taken over gives nothing", async () => {
    const error = await mint({}, { owner_id: "9999" }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: "provider_denied", detail: expect.stringContaining("taken over") })
    expect(api.requests).toEqual([FIND])
  })

  test("gives nothing for a repository that took over a name", async () => {
    const pinned = { repository_ids: ["41"] }
    await mint(pinned)
    api.host(99, ACME, "shop-2")
    await expect(mint({ ...pinned, repositories: ["shop-2"] })).rejects.toMatchObject({
      code: "provider_response_invalid",
    })
    expect(api.tokensAlive).toBe(1)
  })
})

describe("the App's JWT", () => {
  const jwts = () => api.credentials.filter((credential) => credential.startsWith("eyJ"))

  test("is signed once for the mints of eight minutes", async () => {
    await mint()
    clock.advance(8 * MINUTE - 1)
    await mint()
    expect(jwts()).toHaveLength(1)
    clock.advance(1)
    await mint()
    expect(jwts()).toHaveLength(2)
    expect(api.requests).toEqual([FIND, GIVE, GIVE, FIND, GIVE])
  })

  test("that GitHub refuses by now is signed anew, once, and with the key that is set by now", async () => {
    // Our clock is slow: GitHub refuses the JWT after 440 s, when it still looks good to us.
    const slow = makeIo(100_000)
    await mint({}, {}, slow)
    clock.advance(7.5 * MINUTE)
    await mint({}, {}, slow)
    const refused = "POST /app/installations/51000000/access_tokens 401"
    expect(api.requests).toEqual([FIND, GIVE, refused, FIND, GIVE])
    expect(jwts()).toHaveLength(2)
    clock.advance(7.5 * MINUTE)
    key = foreignKey()
    await expect(mint({}, {}, slow)).rejects.toMatchObject({ code: "provider_denied" })
    expect(api.requests.slice(5)).toEqual([refused, "GET /users/acme/installation 401"])
  })
})

describe("a token that is not what was asked", () => {
  const other = { repositories: ["shop-2"], repository_ids: ["41"] }

  test("and cannot be taken back at once stays on the lease's account, and is ended from there", async () => {
    const failing: ProviderIo = {
      ...io,
      async http(request) {
        if (request.method === "DELETE") installation.suspendedAt = "2026-11-22T10:00:00Z"
        return await io.http(request)
      },
    }

    const error = await mint(other, {}, failing).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(LeftAliveError)
    expect(error).toMatchObject({
      code: "provider_response_invalid",
      detail: expect.stringContaining("other repositories"),
      left: { expiresAt: new Date("2026-11-22T11:00:00Z") },
    })
    installation.suspendedAt = null
    expect(api.tokensAlive).toBe(1)
    await revoke((error as LeftAliveError).left)
    expect(api.tokensAlive).toBe(0)
  })

  test("and is taken back at once is on nobody's account", async () => {
    const error = await mint(other).catch((reason: unknown) => reason)
    expect(error).not.toBeInstanceOf(LeftAliveError)
    expect(error).toMatchObject({ code: "provider_response_invalid" })
    expect(api.tokensAlive).toBe(0)
  })
})

describe("GitHub's failures", () => {
  test("leave at most one token behind that nobody has", async () => {
    await mint()
    api.fail("reset")
    await expect(mint()).rejects.toMatchObject({ code: "provider_unavailable" })
    expect(api.requests.slice(2)).toEqual(["POST /app/installations/51000000/access_tokens (reset)"])
    expect(api.tokensAlive).toBe(2)
  })

  test("do not keep a token from being ended", async () => {
    const minted = await mint()
    api.fail("unavailable", 2)
    await revoke(minted)
    expect(api.tokensAlive).toBe(0)
  })

  test("are not asked about again when they are calls for patience", async () => {
    api.limit({ kind: "primary", status: 403, resetInSeconds: 90 })
    await expect(mint()).rejects.toMatchObject({ code: "provider_throttled", retryAfterSeconds: 90 })
    expect(api.requests).toEqual(["GET /users/acme/installation 403"])
  })
})

const foreignKey = () =>
  generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" }).toString()

import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import { get as httpGet } from "node:http"
import { SignJWT } from "jose"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { type Account, type GitHubApi, type HostedRepository, type Installation, startGitHubApi } from "./github-api.ts"

const ACME: Account = { login: "acme", id: 9001 }
const OTHERS: Account = { login: "globex", id: 9002 }
const NOW = new Date("2026-11-22T10:00:00Z")
const SECONDS = NOW.getTime() / 1000

let api: GitHubApi
let shop: HostedRepository
let installation: Installation
let now: Date
beforeEach(async () => {
  now = NOW
  api = await startGitHubApi({ now: () => now })
  shop = api.host(41, ACME, "shop")
  shop.push({ "README.md": "# Shop\n", ".github/daypass/a.yaml": "a" })
  shop.environments.set("production", { reviewers: [{ login: "octocat", id: 1 }], branches: "protected" })
  installation = api.install(ACME)
})
afterEach(() => api.close())

interface JwtParts {
  readonly iss?: string
  readonly iat?: number
  readonly exp?: number
  readonly key?: KeyObject
}

function jwt({ iss = api.appId, iat = SECONDS - 60, exp = SECONDS + 540, key }: JwtParts = {}): Promise<string> {
  const claims = new SignJWT().setIssuer(iss).setIssuedAt(iat).setExpirationTime(exp)
  return claims.setProtectedHeader({ alg: "RS256" }).sign(key ?? createPrivateKey(api.key.pkcs1))
}

async function call(
  path: string,
  bearer: string,
  init: { method?: string; body?: unknown; text?: string; etag?: string } = {},
) {
  const response = await fetch(`${api.url}${path}`, {
    method: init.method ?? "GET",
    redirect: "manual",
    headers: {
      authorization: `Bearer ${bearer}`,
      "user-agent": "test/1",
      ...(init.etag ? { "if-none-match": init.etag } : {}),
    },
    ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    ...(init.text === undefined ? {} : { body: init.text }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) }
}

const askToken = async (body: unknown) =>
  call(`/app/installations/${installation.id}/access_tokens`, await jwt(), { method: "POST", body })

async function token(
  permissions: Readonly<Record<string, string>> = { contents: "read" },
  ids = [41],
): Promise<string> {
  const { body } = await askToken({ repository_ids: ids, permissions })
  return body.token
}

const foreign = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey

describe("the App's JWT", () => {
  test("finds the installation by the repository's id", async () => {
    const { status, body } = await call("/repositories/41/installation", await jwt())
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id: installation.id,
      account: { id: 9001 },
      permissions: { contents: "read", metadata: "read" },
      suspended_at: null,
    })
  })

  const REFUSED: [string, JwtParts, RegExp][] = [
    ["of another key", { key: foreign }, /could not be decoded/],
    ["that lives longer than ten minutes", { exp: SECONDS + 601 }, /too far in the future/],
    ["that has ended", { exp: SECONDS }, /must be a numeric value/],
    ["from the future", { iat: SECONDS + 1 }, /must be an Integer/],
  ]
  test.each(REFUSED)("%s is refused", async (_, parts, message) => {
    const { status, body } = await call("/repositories/41/installation", await jwt(parts))
    expect([status, body.message]).toEqual([401, expect.stringMatching(message)])
  })

  test("of an App that does not exist is 404, whoever signed it", async () => {
    for (const parts of [{ iss: "1" }, { iss: "1", key: foreign }]) {
      const { status, body } = await call("/users/acme/installation", await jwt(parts))
      expect([status, body.message]).toEqual([404, "Integration not found"])
    }
  })

  test.each(["/users/Acme", "/orgs/acme", "/repos/acme/shop", "/repos/ACME/Shop"])(
    "finds the installation at %s",
    async (path) => {
      api.host(40, ACME, "tools")
      const { status, body } = await call(`${path}/installation`, await jwt())
      expect([status, body.id, body.account.id]).toEqual([200, installation.id, 9001])
    },
  )

  test("tells of the App itself, and takes its scheme in any case, but not that of tokens", async () => {
    const asked = async (scheme: string) => {
      const headers = { authorization: `${scheme} ${await jwt()}`, "user-agent": "test/1" }
      const response = await fetch(`${api.url}/app`, { headers })
      return [response.status, ((await response.json()) as { id?: number }).id]
    }
    for (const scheme of ["Bearer", "bearer", "BEARER"]) expect(await asked(scheme)).toEqual([200, 730001])
    for (const scheme of ["token", "Basic"]) expect(await asked(scheme)).toEqual([401, undefined])
  })

  test("finds no installation on an owner that has none, and none with somebody else's key", async () => {
    expect((await call("/users/globex/installation", await jwt())).status).toBe(404)
    expect((await call("/users/acme/installation", await jwt({ key: foreign }))).status).toBe(401)
    expect((await call("/users/acme/installation", await token())).status).toBe(401)
  })

  test("opens no repository", async () => {
    expect((await call("/repositories/41", await jwt())).status).toBe(401)
  })

  test("finds nothing where the App is not installed", async () => {
    api.host(42, OTHERS, "site")
    for (const id of [42, 999]) expect((await call(`/repositories/${id}/installation`, await jwt())).status).toBe(404)
    installation.repositories = [77]
    expect((await call("/repositories/41/installation", await jwt())).status).toBe(404)
  })
})

describe("an installation's token", () => {
  test("says what it is for", async () => {
    const { status, body } = await askToken({ repository_ids: [41], permissions: { contents: "read" } })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      token: expect.stringMatching(/^ghs_[A-Za-z0-9]{36}$/),
      expires_at: "2026-11-22T11:00:00Z",
      permissions: { contents: "read", metadata: "read" },
      repository_selection: "selected",
      repositories: [{ id: 41 }],
    })
  })

  test("is good for all repositories when the list of ids is empty, as GitHub has it", async () => {
    api.host(42, ACME, "tools")
    const { body } = await askToken({ repository_ids: [], permissions: { contents: "read" } })
    expect(body.repository_selection).toBe("all")
    expect((await call("/repositories/42", body.token)).status).toBe(200)
  })

  test("is good for the repositories that were named, in any case, and for no other", async () => {
    api.host(42, ACME, "tools")
    const { body } = await askToken({ repositories: ["SHOP"], permissions: { contents: "read" } })
    expect(body).toMatchObject({ repository_selection: "selected", repositories: [{ id: 41, name: "shop" }] })
    expect((await call("/repositories/41", body.token)).status).toBe(200)
    expect((await call("/repositories/42", body.token)).status).toBe(404)
  })

  test("has less than the installation where less is asked", async () => {
    installation.permissions = { contents: "write", administration: "admin" }
    const { body } = await askToken({ repositories: ["shop"], permissions: { contents: "read" } })
    expect(body.permissions).toEqual({ contents: "read", metadata: "read" })
  })

  const EVERYTHING = { contents: "read", actions: "read", metadata: "read" }
  const READ = { contents: "read", metadata: "read" }
  const ALL: [string, unknown, string, unknown][] = [
    ["no list of names", { permissions: { contents: "read" } }, "all", READ],
    ["an empty list of names", { repositories: [], permissions: { contents: "read" } }, "all", READ],
    ["no permissions", { repositories: ["shop"] }, "selected", EVERYTHING],
    ["empty permissions", { repositories: ["shop"], permissions: {} }, "selected", EVERYTHING],
    ["nothing at all", undefined, "all", EVERYTHING],
  ]
  test.each(ALL)("has all that there is where it was asked for with %s", async (_, asked, selection, permissions) => {
    const { body } = await askToken(asked)
    expect([body.repository_selection, body.permissions]).toEqual([selection, permissions])
  })

  test("may be as long as those of github.com are", async () => {
    const other = await startGitHubApi({ now: () => now, tokens: "stateless" })
    const { id } = other.install(ACME)
    other.host(41, ACME, "shop")
    const body = JSON.stringify({ repositories: ["shop"], permissions: { contents: "read" } })
    const headers = { authorization: `Bearer ${await jwt()}`, "user-agent": "test/1" }
    const answer = await fetch(`${other.url}/app/installations/${id}/access_tokens`, { method: "POST", headers, body })
    const { token } = (await answer.json()) as { token: string }
    expect(token).toMatch(/^ghs_730001_[A-Za-z0-9_.]{400,600}$/)
    expect(token.split(".")).toHaveLength(3)
    await other.close()
  })

  test("ends when it ends itself, and cannot do that twice", async () => {
    const given = await token()
    const kept = await token()
    expect(api.tokensAlive).toBe(2)
    expect(await call("/installation/token", given, { method: "DELETE" })).toMatchObject({ status: 204, body: null })
    expect(api.tokensAlive).toBe(1)
    expect((await call("/installation/token", given, { method: "DELETE" })).status).toBe(401)
    expect((await call("/repositories/41", given)).status).toBe(401)
    expect((await call("/repositories/41", kept)).status).toBe(200)
  })

  test("is not ended by the App's JWT, nor while its installation is suspended", async () => {
    expect((await call("/installation/token", await jwt(), { method: "DELETE" })).status).toBe(401)
    const given = await token()
    installation.suspendedAt = "2026-11-22T09:00:00Z"
    expect((await call("/installation/token", given, { method: "DELETE" })).status).toBe(403)
  })

  const REFUSED: [string, unknown, number][] = [
    ["a name of somebody else's", { repositories: ["site"], permissions: { contents: "read" } }, 422],
    ["a name with its owner", { repositories: ["acme/shop"], permissions: { contents: "read" } }, 422],
    ["a pattern", { repositories: ["*"], permissions: { contents: "read" } }, 422],
    [
      "one name among others that is not there",
      { repositories: ["shop", "no"], permissions: { contents: "read" } },
      422,
    ],
    ["more than 500 names", { repositories: Array(501).fill("shop"), permissions: { contents: "read" } }, 422],
    ["a level that there is not", { repositories: ["shop"], permissions: { contents: "all" } }, 422],
    ["metadata to write", { repositories: ["shop"], permissions: { metadata: "write" } }, 422],
    ["a key that there is not", { repositories: ["shop"], permission: { contents: "read" } }, 422],
    ["a repository of somebody else", { repository_ids: [42], permissions: { contents: "read" } }, 422],
    ["a permission that the App has not", { repository_ids: [41], permissions: { issues: "read" } }, 422],
    ["more than the App has", { repository_ids: [41], permissions: { contents: "write" } }, 422],
    ["ids that are texts", { repository_ids: ["41"], permissions: { contents: "read" } }, 422],
  ]
  test.each(["{", "null", "[]", "1", '"all"'])(
    "is refused for the body %s, and is not one for everything",
    async (body) => {
      const refused = await call(`/app/installations/${installation.id}/access_tokens`, await jwt(), {
        method: "POST",
        text: body,
      })
      expect([refused.status, api.tokensAlive]).toEqual([400, 0])
    },
  )

  test.each(REFUSED)("is refused for %s", async (_, body, status) => {
    api.host(42, OTHERS, "site")
    expect((await askToken(body)).status).toBe(status)
  })

  test("is refused while the installation is suspended, and refused service", async () => {
    const given = await token()
    installation.suspendedAt = "2026-11-22T09:00:00Z"
    expect((await askToken({ repository_ids: [41] })).status).toBe(403)
    expect((await call("/repositories/41", given)).body.message).toBe("This installation has been suspended")
  })

  test("ends after an hour", async () => {
    const given = await token()
    now = new Date(NOW.getTime() + 3600_000 - 1)
    expect((await call("/repositories/41", given)).status).toBe(200)
    now = new Date(NOW.getTime() + 3600_000)
    expect((await call("/repositories/41", given)).status).toBe(401)
  })

  test("is refused when it was made up, withdrawn, or its App uninstalled", async () => {
    expect((await call("/repositories/41", `ghs_${"x".repeat(36)}`)).status).toBe(401)
    const first = await token()
    api.revokeTokens()
    expect((await call("/repositories/41", first)).status).toBe(401)
    const second = await token()
    api.uninstall(installation)
    expect((await call("/repositories/41", second)).status).toBe(401)
  })

  test("shows no other repository, and nothing that needs another permission", async () => {
    api.host(42, ACME, "tools").push({ a: "a" })
    const given = await token()
    expect((await call("/repositories/42", given)).status).toBe(404)
    const { status, body } = await call("/repositories/41/environments/production", given)
    expect([status, body.message]).toEqual([403, "Resource not accessible by integration"])
  })

  test("opens no route of the App's", async () => {
    expect((await call("/repositories/41/installation", await token())).status).toBe(401)
  })
})

describe("a repository", () => {
  test("is walked from its branch to a file, by the names that Git gives", async () => {
    const given = await token()
    const ref = await call("/repositories/41/git/ref/heads/main", given)
    expect(ref.body).toMatchObject({ ref: "refs/heads/main", object: { type: "commit" } })
    const sha = async (tree: string, path: string) => {
      const { body } = await call(`/repositories/41/git/trees/${tree}`, given)
      return body.tree.find((entry: { path: string }) => entry.path === path).sha
    }
    const folder = await sha(await sha(ref.body.object.sha, ".github"), "daypass")
    // `printf a | git hash-object --stdin`
    expect(await sha(folder, "a.yaml")).toBe("2e65efe2a145dda7ee51d1741299f848e5bf752e")
    const blob = await call("/repositories/41/git/blobs/2e65efe2a145dda7ee51d1741299f848e5bf752e", given)
    expect(blob.body).toMatchObject({ encoding: "base64", content: "YQ==", size: 1 })
  })

  test("names a tree as Git does", async () => {
    shop.push({ a: "a" })
    const { body } = await call("/repositories/41/git/trees/main", await token())
    // `git mktree <<< "100644 blob 2e65efe2a145dda7ee51d1741299f848e5bf752e<TAB>a"`
    expect(body.sha).toBe("b39954843ff6e09ec3aa2b942938c30c6bd1629e")
  })

  test("without a commit answers 409", async () => {
    shop.branches.clear()
    const { status, body } = await call("/repositories/41/git/ref/heads/main", await token())
    expect([status, body.message]).toEqual([409, "Git Repository is empty."])
  })

  test("takes a bare name for a tag before it takes it for a branch", async () => {
    shop.tag("main", { tagged: "t" })
    const { body } = await call("/repositories/41/git/trees/main", await token())
    expect(body.tree).toMatchObject([{ path: "tagged" }])
  })

  test("is sent anew only when it changed", async () => {
    const given = await token()
    const etag = (await call("/repositories/41", given)).headers.get("etag") ?? ""
    expect(await call("/repositories/41", given, { etag })).toMatchObject({ status: 304, body: null })
    shop.name = "store"
    expect(await call("/repositories/41", given, { etag })).toMatchObject({ status: 200, body: { name: "store" } })
  })

  test("is found by its name in any case, with a token in either scheme", async () => {
    const given = await token()
    for (const authorization of [`token ${given}`, `bearer ${given}`, `Token ${given}`]) {
      const response = await fetch(`${api.url}/repos/ACME/shop`, { headers: { authorization, "user-agent": "test/1" } })
      expect([response.status, ((await response.json()) as { id: number }).id]).toEqual([200, 41])
    }
  })

  test("is found by its id after a rename, and its former name leads there until another has it", async () => {
    const given = await token()
    shop.name = "store"
    expect((await call("/repos/acme/store", given)).body).toMatchObject({ id: 41 })
    const { status, headers } = await call("/repos/acme/shop", given)
    expect([status, headers.get("location")]).toEqual([301, `${api.url}/repositories/41`])
    api.host(43, ACME, "shop")
    expect((await call("/repos/acme/shop", await token({ contents: "read" }, [43]))).body).toMatchObject({ id: 43 })
  })

  test("tells how an environment is protected", async () => {
    const { body } = await call("/repositories/41/environments/Production", await token({ actions: "read" }))
    expect(body).toMatchObject({
      name: "production",
      protection_rules: [
        { type: "required_reviewers", prevent_self_review: false, reviewers: [{ type: "User" }] },
        { type: "branch_policy" },
      ],
      deployment_branch_policy: { protected_branches: true, custom_branch_policies: false },
    })
  })
})

describe("the server", () => {
  test("wants a User-Agent, and a version of the API that there is", async () => {
    const status = await new Promise((resolve) =>
      httpGet(`${api.url}/repositories/41`, (got) => resolve(got.resume().statusCode)),
    )
    expect(status).toBe(403)
    const headers = { "x-github-api-version": "1999-01-01", "user-agent": "test/1" }
    expect((await fetch(`${api.url}/repositories/41`, { headers })).status).toBe(400)
  })

  test("asks for patience in GitHub's three ways", async () => {
    const given = await token()
    api.limit({ kind: "primary", status: 429, resetInSeconds: 60 })
    const primary = await call("/repositories/41", given)
    expect([primary.status, primary.headers.get("x-ratelimit-remaining")]).toEqual([429, "0"])
    expect(primary.headers.get("x-ratelimit-reset")).toBe(String(SECONDS + 60))
    api.limit({ kind: "secondary", status: 403, retryAfterSeconds: 30 })
    expect((await call("/repositories/41", given)).headers.get("retry-after")).toBe("30")
    api.limit({ kind: "unsaid" })
    const unsaid = await call("/repositories/41", given)
    expect([unsaid.status, unsaid.headers.get("retry-after")]).toEqual([403, null])
    expect(unsaid.body.message).toContain("secondary rate limit")
  })

  test("fails the test that asks what nobody expected", async () => {
    const other = await startGitHubApi()
    const headers = { "user-agent": "test/1" }
    expect((await fetch(`${other.url}/user/repos`, { headers })).status).toBe(404)
    expect(() => other.assertClean()).toThrow("GET /user/repos 404")
    await expect(other.close()).rejects.toThrow("what nobody expected")
  })

  test("writes down what was asked without a token", async () => {
    const given = await token()
    await call("/repositories/41", given)
    expect(api.requests).toEqual([
      `POST /app/installations/${installation.id}/access_tokens 201`,
      "GET /repositories/41 200",
    ])
  })
})

import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JWTVerifyGetKey, jwtVerify } from "jose"
import { afterEach, describe, expect, test } from "vitest"
import { type GitHub, type Job, startGitHub } from "./github.ts"

const AUDIENCE = "https://broker.example.com"

let github: GitHub | undefined
afterEach(async () => {
  await github?.close()
  github = undefined
})

const ask = (url: string, token?: string, init: RequestInit = {}) =>
  fetch(url, { ...init, headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } })

function askAfterItsEnd(job: Job) {
  job.end()
  return ask(job.requestUrl, job.requestToken)
}

async function keysOf(issuer: string): Promise<JWTVerifyGetKey> {
  const discovery = (await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()) as { jwks_uri: string }
  return createRemoteJWKSet(new URL(discovery.jwks_uri), { cooldownDuration: 0, cacheMaxAge: 0 })
}

test("a job's token verifies with the keys that discovery leads to, and looks like GitHub's", async () => {
  github = await startGitHub()
  const job = github.job({ repository: "acme/shop", repository_id: "41", environment: "production" })
  const response = await ask(`${job.requestUrl}&audience=${encodeURIComponent(AUDIENCE)}`, job.requestToken)
  const { value } = (await response.json()) as { value: string }
  const options = { issuer: github.issuer, audience: AUDIENCE, algorithms: ["RS256"] }
  const { payload, protectedHeader } = await jwtVerify(value, await keysOf(github.issuer), options)
  expect(Object.keys(protectedHeader).sort()).toEqual(["alg", "kid", "typ", "x5t"])
  expect(payload).toMatchObject({
    repository: "acme/shop",
    repository_id: "41",
    repository_owner: "acme",
    sub: "repo:acme/shop:environment:production",
    exp: (payload.iat ?? 0) + 300,
  })
  const times = ["iat", "nbf", "exp"]
  expect(Object.entries(payload).filter(([name, claim]) => !times.includes(name) && typeof claim !== "string")).toEqual(
    [],
  )
})

test("every token has a jti of its own", async () => {
  github = await startGitHub()
  const job = github.job()
  const tokens = await Promise.all([1, 2].map(async () => (await ask(job.requestUrl, job.requestToken)).json()))
  const [first, second] = tokens.map((body) => decodeJwt((body as { value: string }).value).jti)
  expect(first).not.toBe(second)
})

test("a token that was asked for without an audience is for the owner's page, as GitHub has it", async () => {
  github = await startGitHub()
  const job = github.job({ repository: "acme/shop" })
  const { value } = (await (await ask(job.requestUrl, job.requestToken)).json()) as { value: string }
  expect(decodeJwt(value).aud).toBe("https://github.com/acme")
})

describe("the runner's endpoint refuses", () => {
  const REFUSALS: readonly [string, number, (job: Job) => Promise<Response>][] = [
    ["no request token", 401, (job) => ask(job.requestUrl)],
    ["another job's request token", 403, (job) => ask(job.requestUrl, github?.job().requestToken)],
    ["a job that has ended", 403, askAfterItsEnd],
    ["another method", 405, (job) => ask(job.requestUrl, job.requestToken, { method: "POST" })],
    ["two audiences", 400, (job) => ask(`${job.requestUrl}&audience=a&audience=b`, job.requestToken)],
    ["another parameter", 400, (job) => ask(`${job.requestUrl}&sub=a`, job.requestToken)],
    ["the version twice", 400, (job) => ask(`${job.requestUrl}&api-version=2.0`, job.requestToken)],
    ["an empty audience", 400, (job) => ask(`${job.requestUrl}&audience=`, job.requestToken)],
    ["a URL whose query was cut off", 400, (job) => ask(job.requestUrl.split("?")[0] ?? "", job.requestToken)],
  ]
  test.each(REFUSALS)("%s: %i", async (_, status, request) => {
    github = await startGitHub()
    expect((await request(github.job())).status).toBe(status)
    expect(github.requests.at(-1)).toMatch(new RegExp(` ${status}$`))
  })
})

test("claims that repeat others follow them, and a null leaves a claim out", async () => {
  github = await startGitHub()
  const branch = decodeJwt(
    await github.mint({ repository: "acme/shop", ref: "refs/heads/x:y" }, { audience: AUDIENCE }),
  )
  expect(branch).toMatchObject({ repository_owner: "acme", sub: "repo:acme/shop:ref:refs/heads/x:y" })
  expect(branch["job_workflow_ref"]).toBe("acme/shop/.github/workflows/deploy.yml@refs/heads/x:y")
  const bare = decodeJwt(await github.mint({ jti: null, actor: null, sub: "as it says" }, { audience: AUDIENCE }))
  expect(bare).not.toHaveProperty("jti")
  expect(bare).not.toHaveProperty("actor")
  expect(bare.sub).toBe("as it says")
})

describe("wrong tokens can be had", () => {
  test("signed by a key that was never published", async () => {
    github = await startGitHub()
    const token = await github.mint({}, { audience: AUDIENCE, key: "stranger" })
    await expect(jwtVerify(token, await keysOf(github.issuer))).rejects.toThrow("signature verification failed")
  })

  test("expired, or for another audience", async () => {
    github = await startGitHub()
    const keys = await keysOf(github.issuer)
    const old = await github.mint({}, { audience: AUDIENCE, issuedAt: 1_700_000_000 })
    await expect(jwtVerify(old, keys)).rejects.toThrow('"exp"')
    const foreign = await github.mint({}, { audience: ["a", "b"] })
    await expect(jwtVerify(foreign, keys, { audience: AUDIENCE })).rejects.toThrow('"aud"')
  })

  test("signed by a key that was withdrawn", async () => {
    github = await startGitHub()
    const token = await github.mint({}, { audience: AUDIENCE })
    github.rotateKey("keep")
    await jwtVerify(token, await keysOf(github.issuer))
    const newer = await github.mint({}, { audience: AUDIENCE })
    expect(decodeProtectedHeader(newer).kid).not.toBe(decodeProtectedHeader(token).kid)
    github.rotateKey("withdraw")
    await expect(jwtVerify(token, await keysOf(github.issuer))).rejects.toThrow("no applicable key")
  })
})

test("an enterprise's issuer has a path, and its keys stand at the host's root", async () => {
  github = await startGitHub({ enterprise: "octocat-inc" })
  expect(new URL(github.issuer).pathname).toBe("/octocat-inc")
  const token = await github.mint({}, { audience: AUDIENCE })
  await jwtVerify(token, await keysOf(github.issuer), { issuer: github.issuer })
})

describe("an endpoint can fail", () => {
  const outcome = async (url: string, timeoutMs = 120_000) => {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(timeoutMs) })
    return { status: response.status, bytes: (await response.arrayBuffer()).byteLength }
  }

  test.each(["reset", "slow"] as const)("%s: no answer", async (how) => {
    github = await startGitHub()
    github.fail("jwks", how)
    await expect(outcome(`${github.issuer}/.well-known/jwks`, 500)).rejects.toThrow()
  })

  test("unavailable, redirect, oversized and garbage: an answer that is of no use", async () => {
    github = await startGitHub()
    const url = `${github.issuer}/.well-known/jwks`
    github.fail("jwks", "unavailable", 1)
    expect((await outcome(url)).status).toBe(503)
    github.fail("jwks", "redirect", 1)
    expect((await outcome(url)).status).toBe(302)
    github.fail("jwks", "oversized", 1)
    expect((await outcome(url)).bytes).toBeGreaterThan(4 * 1024 * 1024)
    github.fail("jwks", "garbage", 1)
    await expect(fetch(url).then((response) => response.json())).rejects.toThrow()
    expect((await outcome(url)).status).toBe(200)
    expect(github.requests).toContain("GET jwks (oversized)")
  })
})

test("a request that nobody has a reason to make fails the test that made it", async () => {
  const strict = await startGitHub()
  const response = await fetch(`${strict.issuer}/.well-known/keys`)
  expect(response.status).toBe(404)
  expect(() => strict.assertClean()).toThrow("GET /.well-known/keys 404")
  await expect(strict.close()).rejects.toThrow("what nobody expected")
})

test("the log of requests holds no token", async () => {
  github = await startGitHub()
  const job = github.job()
  const { value } = (await (await ask(job.requestUrl, job.requestToken)).json()) as { value: string }
  const text = github.requests.join("\n")
  expect(text).not.toContain(job.requestToken)
  expect(text).not.toContain(value.split(".")[2])
})

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { type Conjur, startConjur } from "./conjur.ts"
import { type GitHub, type MintOptions, startGitHub } from "./github.ts"

const AUDIENCE = "https://conjur.example.com"
const SUBJECT = "github:repository:41:environment:production:grant:conjur"
const LOGIN = "/authn-jwt/daypass/acme/authenticate"
const BINARY = Uint8Array.from({ length: 64 }, (_, at) => 255 - at)

// Any OIDC issuer can stand where the broker will; the one at hand is the GitHub stand-in.
let issuer: GitHub
let conjur: Conjur

beforeAll(async () => {
  issuer = await startGitHub()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  conjur = await startConjur()
  conjur.setAuthenticator({ account: "acme", service: "daypass", issuer: issuer.issuer, audience: AUDIENCE })
  const executes = ["db/host", "db/key", "db/empty"]
  conjur.addHost({ id: "daypass/shop", subject: SUBJECT, executes })
  conjur.addHost({ id: "daypass/bank", subject: `${SUBJECT}-bank`, executes: [], unpermitted: true })
  conjur.addVariable("db/host", "db.example.com")
  conjur.addVariable("db/key", BINARY)
  conjur.addVariable("db/other", "x")
  conjur.addVariable("db/empty")
})
afterEach(() => conjur.close())

const jwt = (claims: Record<string, unknown> = {}, mint: Partial<MintOptions> = {}) =>
  issuer.mint({ sub: SUBJECT, ...claims }, { audience: AUDIENCE, ...mint })

async function post(token: string, path = LOGIN, headers: Record<string, string> = {}) {
  const body = new URLSearchParams({ jwt: token })
  const response = await fetch(`${conjur.url}${path}`, { method: "POST", body, headers })
  return { status: response.status, encoding: response.headers.get("content-encoding"), text: await response.text() }
}
const logIn = async () => Buffer.from((await post(await jwt())).text).toString("base64")

async function batch(ids: string, token: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${conjur.url}/secrets?variable_ids=${ids}`, {
    headers: { authorization: `Token token="${token}"`, ...headers },
  })
  return { status: response.status, encoding: response.headers.get("content-encoding"), text: await response.text() }
}

describe("a login is refused, in silence,", () => {
  test.each([
    ["for a subject that is no host's", 401, LOGIN, { sub: "another" }, {}],
    ["for another audience", 401, LOGIN, {}, { audience: "https://conjur.example" }],
    ["for a token signed by a stranger", 401, LOGIN, {}, { key: "stranger" }],
    ["for a token that has expired", 401, LOGIN, {}, { issuedAt: 1_700_000_000 }],
    ["at another authenticator", 401, "/authn-jwt/other/acme/authenticate", {}, {}],
    ["in another account", 401, "/authn-jwt/daypass/other/authenticate", {}, {}],
    ["as another host", 401, "/authn-jwt/daypass/acme/host%2Fdaypass%2Fbank/authenticate", {}, {}],
    ["as a host that may not use the authenticator", 403, LOGIN, { sub: `${SUBJECT}-bank` }, {}],
  ] as const)("%s", async (_, status, path, claims, mint) => {
    expect(await post(await jwt(claims, mint), path)).toEqual({ status, encoding: null, text: "" })
  })

  test("for a form without a token", async () => {
    const response = await fetch(`${conjur.url}${LOGIN}`, { method: "POST", body: new URLSearchParams({ token: "x" }) })
    expect(response.status).toBe(400)
  })
})

describe("variables are refused", () => {
  test.each([
    ["that are not there", "acme:variable:db/host,acme:variable:db/missing", 404, "not_found"],
    ["that have no value", "acme:variable:db/empty", 404, "not_found"],
    ["that the host may not execute, next to one that is not there", "acme:variable:db/other,x", 404, "not_found"],
    ["of another account", "bank:variable:db/host", 404, "not_found"],
    ["that are an empty part of the list", ",acme:variable:db/host", 404, "not_found"],
    ["that are nothing but empty parts", ",,", 422, "argument_error"],
    ["that are there twice", "acme:variable:db/host,acme:variable:db/host", 404, "not_found"],
    ["that are no text, where base64 is not asked for", "acme:variable:db/key", 406, "not_acceptable"],
  ])("%s", async (_, ids, status, code) => {
    const answer = await batch(ids, await logIn())
    expect([answer.status, JSON.parse(answer.text).error.code]).toEqual([status, code])
  })

  test.each(["acme:variable:db/other", "acme:variable:db/host,acme:variable:db/other"])(
    "that the host may not execute, without a word: %s",
    async (ids) => {
      expect(await batch(ids, await logIn())).toEqual({ status: 403, encoding: null, text: "" })
    },
  )

  test("once the login's time is over, which the operator chooses", async () => {
    conjur.setTokenTtl(90)
    const { payload } = JSON.parse((await post(await jwt())).text)
    expect(payload.length % 4, "padded, as Conjur's client for Go wants it").toBe(0)
    const { iat, exp } = JSON.parse(Buffer.from(payload, "base64url").toString())
    expect(exp - iat).toBe(90)
  })

  test("once the login's 480 seconds are over", async () => {
    const token = await logIn()
    vi.useFakeTimers({ toFake: ["Date"] })
    try {
      const start = Date.now()
      vi.setSystemTime(start + 479_000)
      expect((await batch("acme:variable:db/host", token)).status).toBe(200)
      vi.setSystemTime(start + 480_000)
      expect((await batch("acme:variable:db/host", token)).status).toBe(401)
    } finally {
      vi.useRealTimers()
    }
  })

  test("without a login, and with one that has ended", async () => {
    const token = await logIn()
    conjur.endLogins()
    for (const one of ["x", token]) expect((await batch("acme:variable:db/host", one)).status).toBe(401)
  })
})

test.each(["/secrets/acme/variable/db%2Fhost", "/secrets?variable_ids=a&x=1", "/secrets//?variable_ids=a", "/whoami"])(
  "%s is what nobody needs to ask",
  async (path) => {
    expect((await fetch(`${conjur.url}${path}`)).status).toBe(404)
    await expect(conjur.close()).rejects.toThrow("nobody expected")
    conjur = await startConjur()
  },
)

test("Conjur's own clients log in with text/plain, and ask with a slash and empty parts at the end", async () => {
  const plain = await post(await jwt(), LOGIN, { "content-type": "text/plain" })
  expect(plain.status).toBe(200)
  const token = Buffer.from(plain.text).toString("base64")
  const headers = { authorization: `Token token="${token}"` }
  for (const query of ["/secrets/?variable_ids=acme:variable:db/host", "/secrets?variable_ids=acme:variable:db/host,"])
    expect((await fetch(`${conjur.url}${query}`, { headers })).status).toBe(200)
})

test("a token comes as JSON, or in base64 to who accepts that, by the host's name in the URL or without", async () => {
  const plain = await post(await jwt(), "/authn-jwt/daypass/acme/host%2Fdaypass%2Fshop/authenticate")
  expect(JSON.parse(plain.text)).toEqual({
    protected: expect.any(String),
    payload: expect.any(String),
    signature: expect.any(String),
  })
  const encoded = await post(await jwt(), LOGIN, { "accept-encoding": "base64" })
  expect(encoded).toMatchObject({ status: 200, encoding: "base64", text: expect.stringMatching(/^[\w+/]+=*$/) })
  for (const token of [Buffer.from(plain.text).toString("base64"), encoded.text])
    expect((await batch("acme:variable:db/host", token)).status).toBe(200)
})

test("values come as text, or in lines of base64 to who accepts that", async () => {
  const token = await logIn()
  const plain = await batch("acme:variable:db/host", token)
  expect(plain).toEqual({ status: 200, encoding: null, text: '{"acme:variable:db/host":"db.example.com"}' })
  const encoded = await batch("acme:variable:db/host,acme:variable:db/key", token, { "accept-encoding": "base64" })
  expect(encoded.encoding).toBe("base64")
  const key = JSON.parse(encoded.text)["acme:variable:db/key"] as string
  expect(key.split("\n").map((line) => line.length)).toEqual([60, 28, 0])
  expect(Buffer.from(key, "base64").equals(Buffer.from(BINARY))).toBe(true)
})

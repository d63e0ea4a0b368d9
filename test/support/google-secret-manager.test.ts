import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { type GitHub, startGitHub } from "./github.ts"
import { type Google, startGoogle } from "./google.ts"

const POOL = "projects/123456789012/locations/global/workloadIdentityPools/daypass"
const PROVIDER = `${POOL}/providers/broker`
const SUBJECT = "github:repository:41:environment:production:grant:secrets"
const PRINCIPAL = `principal://iam.googleapis.com/${POOL}/subject/${SUBJECT}`
const ACCOUNT = "reader@acme-prod.iam.gserviceaccount.com"
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
  google.addProvider({ name: PROVIDER, issuer: issuer.issuer })
  google.addServiceAccount({
    email: ACCOUNT,
    bindings: [{ role: "roles/iam.workloadIdentityUser", members: [PRINCIPAL] }],
  })
  google.addProject({ id: "acme-prod", number: "210987654321" })
  google.addSecret({
    project: "acme-prod",
    id: "db",
    versions: [{ payload: "first" }, { payload: "second", state: "DESTROYED" }, { payload: "123456789" }],
    aliases: { blue: 1 },
    accessors: [PRINCIPAL],
  })
  google.addSecret({
    project: "acme-prod",
    location: "europe-west3",
    id: "db",
    versions: [{ payload: "regional", state: "DISABLED" }],
    accessors: [`serviceAccount:${ACCOUNT}`, PRINCIPAL],
  })
})
afterEach(() => google.close())

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${google.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  })
  return (await response.json()) as Readonly<Record<string, string>>
}

/** A federated token of the job's principal. */
async function federated(scopes = scope("cloud-platform"), subject = SUBJECT): Promise<string> {
  const subjectToken = await issuer.mint({ sub: subject }, { audience: `https://iam.googleapis.com/${PROVIDER}` })
  const { access_token } = await post("/v1/token", {
    grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
    audience: `//iam.googleapis.com/${PROVIDER}`,
    scope: scopes,
    requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
    subjectTokenType: "urn:ietf:params:oauth:token-type:jwt",
    subjectToken,
  })
  return access_token ?? ""
}

async function access(path: string, token: string) {
  const response = await fetch(`${google.url}/v1/${path}:access`, { headers: { authorization: `Bearer ${token}` } })
  const body = (await response.json().catch(() => null)) as Readonly<Record<string, unknown>> | null
  return { status: response.status, body }
}
const DB = "projects/acme-prod/secrets/db/versions"

describe("a version is refused", () => {
  test.each([
    ["to a token that nobody gave out", "ya29.d.made-up", `${DB}/1`, 401, "UNAUTHENTICATED"],
    ["for a scope that is too small", () => federated(scope("iam")), `${DB}/1`, 403, "PERMISSION_DENIED"],
    ["to another grant", () => federated(undefined, `${SUBJECT}-2`), `${DB}/1`, 403, "PERMISSION_DENIED"],
    ["in a project that is not there", federated, "projects/acme-dev/secrets/db/versions/1", 403, "PERMISSION_DENIED"],
    ["of a secret that is not there", federated, "projects/acme-prod/secrets/DB/versions/1", 403, "PERMISSION_DENIED"],
    [
      "in another region",
      federated,
      "projects/acme-prod/locations/us-east1/secrets/db/versions/1",
      403,
      "PERMISSION_DENIED",
    ],
    ["that is not there", federated, `${DB}/4`, 404, "NOT_FOUND"],
    ["by an alias that is not there", federated, `${DB}/green`, 404, "NOT_FOUND"],
    ["with zeros before it", federated, `${DB}/01`, 400, "INVALID_ARGUMENT"],
    ["that is destroyed", federated, `${DB}/2`, 400, "FAILED_PRECONDITION"],
    [
      "that is disabled",
      federated,
      "projects/acme-prod/locations/europe-west3/secrets/db/versions/latest",
      400,
      "FAILED_PRECONDITION",
    ],
  ] as const)("%s", async (_, token, path, status, code) => {
    const refused = await access(path, typeof token === "string" ? token : await token())
    expect(refused).toMatchObject({ status, body: { error: { code: status, status: code } } })
  })

  test("of a secret that is not there, and says so to whoever may read the whole project", async () => {
    google.addProject({ id: "acme-prod", number: "210987654321", accessors: [PRINCIPAL] })
    expect(await access("projects/acme-prod/secrets/DB/versions/1", await federated())).toMatchObject({
      status: 404,
      body: { error: { status: "NOT_FOUND" } },
    })
  })

  test("where the API is off", async () => {
    google.addProject({ id: "acme-prod", number: "210987654321", apiDisabled: true })
    const { body } = await access(`${DB}/1`, await federated())
    expect(body).toMatchObject({ error: { status: "PERMISSION_DENIED", details: [{ reason: "SERVICE_DISABLED" }] } })
  })

  test.each([
    ["with a query", "GET", `/v1/${DB}/1:access?alt=json`],
    ["by another method", "POST", `/v1/${DB}/1:access`],
    ["without :access", "GET", `/v1/${DB}/1`],
  ])("and failed %s", async (_, method, path) => {
    const authorization = `Bearer ${await federated()}`
    expect((await fetch(google.url + path, { method, headers: { authorization } })).status).toBe(404)
    await expect(google.close()).rejects.toThrow("/v1/projects/acme-prod/secrets/db")
    google = await startGoogle()
  })
})

describe("a version", () => {
  test.each([
    ["latest", "3", "123456789"],
    ["1", "1", "first"],
    ["blue", "1", "first"],
  ])("%s is number %s, by the project's id or its number", async (asked, number, payload) => {
    const token = await federated()
    for (const project of ["acme-prod", "210987654321"]) {
      const { status, body } = await access(`projects/${project}/secrets/db/versions/${asked}`, token)
      expect(status).toBe(200)
      expect(body).toMatchObject({
        name: `projects/210987654321/secrets/db/versions/${number}`,
        payload: { data: Buffer.from(payload).toString("base64"), dataCrc32c: expect.stringMatching(/^[0-9]+$/) },
      })
    }
  })

  test("has the checksum that the algorithm's usual check has", async () => {
    const { body } = await access(`${DB}/3`, await federated())
    expect(body).toMatchObject({ payload: { dataCrc32c: String(0xe3069283) } })
    expect(google.requests.at(-1)).toBe("AccessSecretVersion db/3 200")
  })

  test("has no checksum when it is older than these", async () => {
    google.addSecret({
      project: "acme-prod",
      id: "old",
      versions: [{ payload: "x", isOld: true }],
      accessors: [PRINCIPAL],
    })
    const { status, body } = await access("projects/acme-prod/secrets/old/versions/1", await federated())
    expect([status, body?.["payload"]]).toEqual([200, { data: "eA==" }])
  })

  test("is given to Google's own clients, which say in which form they want it", async () => {
    const headers = { authorization: `Bearer ${await federated()}` }
    const url = `${google.url}/v1/${DB}/latest:access`
    expect((await fetch(`${url}?%24alt=json%3Benum-encoding=int`, { headers })).status).toBe(200)
    expect((await fetch(`${url}?x=1`, { headers })).status).toBe(404)
    expect(() => google.assertClean()).toThrow("latest:access")
    await google.close().catch(() => {})
    google = await startGoogle()
  })

  test("is given to a service account that was impersonated", async () => {
    google.addSecret({
      project: "acme-prod",
      id: "db",
      versions: [{ payload: "x" }],
      accessors: [`serviceAccount:${ACCOUNT}`],
    })
    const login = await federated()
    expect((await access(`${DB}/1`, login)).status).toBe(403)
    const { accessToken = "" } = await post(
      `/v1/projects/-/serviceAccounts/${ACCOUNT}:generateAccessToken`,
      { scope: [scope("cloud-platform")], lifetime: "300s" },
      { authorization: `Bearer ${login}` },
    )
    expect((await access(`${DB}/1`, accessToken)).status).toBe(200)
  })
})

test("what nobody can make cannot be made", () => {
  const secret = { project: "acme-prod", id: "x", versions: [{ payload: "x" }] }
  for (const change of [
    { id: "a.b" },
    { versions: [{ payload: "" }] },
    { versions: [{ payload: "x".repeat(65_537) }] },
    { aliases: { latest: 1 } },
    { aliases: { blue: 2 } },
  ])
    expect(() => google.addSecret({ ...secret, ...change })).toThrow(TypeError)
})

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { type KeyVault, startKeyVault } from "./azure/key-vault.ts"
import { type Azure, startAzure } from "./azure.ts"
import { type GitHub, startGitHub } from "./github.ts"

const CLIENT = "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504"
const OTHER = "5b2c8e1f-7d3a-4f60-9a1b-c4e8d2f70613"
const SUBJECT = "github:repository:41:environment:production:grant:secrets"
const AUDIENCE = "api://AzureADTokenExchange"
const OLD = "4387e9f3d6e14c459867679a90fd0f79"

// Any OIDC issuer can stand where the broker will; the one at hand is the GitHub stand-in.
let issuer: GitHub
let azure: Azure
let vault: KeyVault

beforeAll(async () => {
  issuer = await startGitHub()
})
afterAll(() => issuer.close())
beforeEach(async () => {
  azure = await startAzure()
  for (const clientId of [CLIENT, OTHER])
    azure.addClient({ clientId, credentials: [{ issuer: issuer.issuer, subject: SUBJECT, audience: AUDIENCE }] })
  vault = await startKeyVault(azure)
  vault.addSecret(
    "Shop-DB",
    { value: "old", version: OLD },
    { value: "new", exp: 1_700_000_000, contentType: "text/plain" },
  )
  vault.addSecret("off", { value: "x", enabled: false })
  vault.addSecret("secret", { value: "x" })
  for (const secret of ["shop-db", "off", "gone"]) vault.assign({ clientId: CLIENT, secret })
})
afterEach(async () => {
  await vault.close()
  await azure.close()
})

async function token(clientId = CLIENT, resource = "https://vault.azure.net"): Promise<string> {
  const response = await fetch(`${azure.url}/${azure.tenant}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId,
      scope: `${resource}/.default`,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await issuer.mint({ sub: SUBJECT }, { audience: AUDIENCE }),
    }),
  })
  return ((await response.json()) as Readonly<Record<string, string>>)["access_token"] ?? ""
}

async function get(path: string, bearer: string, query = "?api-version=2025-07-01") {
  const response = await fetch(`${vault.url}/secrets/${path}${query}`, {
    headers: { authorization: `Bearer ${bearer}` },
  })
  const body = (await response.json().catch(() => null)) as Readonly<Record<string, unknown>> | null
  return { status: response.status, body, challenge: response.headers.get("www-authenticate") }
}

test("the SDK reads with an empty version, its own spelling of the parameter, and a newer version of the API", async () => {
  const bearer = await token()
  for (const query of ["?api%2Dversion=2026-04-01", "?api-version=7.4"])
    expect(await get("shop-db/", bearer, query)).toMatchObject({ status: 200, body: { value: "new" } })
})

describe("a secret is refused", () => {
  test.each([
    ["to another client", () => token(OTHER), "shop-db", "ForbiddenByRbac"],
    ["that no role gives", token, "secret", "ForbiddenByRbac"],
    ["that is disabled", token, "off", "SecretDisabled"],
  ] as const)("%s", async (_, bearer, name, inner) => {
    const error = { code: "Forbidden", message: expect.any(String), innererror: { code: inner } }
    expect(await get(name, await bearer())).toMatchObject({ status: 403, body: { error } })
  })

  test.each([
    ["that is not there", "gone", 404, "SecretNotFound"],
    ["in a version that is not there", `shop-db/${OLD.replace("4", "5")}`, 404, "SecretNotFound"],
    ["in a version that is none", "shop-db/1", 400, "BadParameter"],
    ["whose name is none", "shop_db", 400, "BadParameter"],
  ] as const)("%s", async (_, path, status, code) => {
    expect(await get(path, await token())).toMatchObject({ status, body: { error: { code } } })
  })

  test.each([
    ["to a token that nobody gave out", async () => "made-up"],
    ["to a token for another resource", () => token(CLIENT, "https://management.azure.com")],
  ])("%s, with a challenge", async (_, bearer) => {
    const refused = await get("shop-db", await bearer())
    expect(refused).toMatchObject({ status: 401, body: { error: { code: "Unauthorized" } } })
    const authority = `https://login.microsoftonline.com/${azure.tenant}`
    expect(refused.challenge).toBe(`Bearer authorization="${authority}", resource="https://vault.azure.net"`)
  })

  test("in a version of the API that there is none of", async () => {
    expect(await get("shop-db", await token(), "?api-version=2025-01-01")).toMatchObject({ status: 400 })
  })

  test("behind a firewall, before anything is said of it", async () => {
    vault.closeFirewall()
    const { body } = await get("gone", await token())
    expect(body).toMatchObject({ error: { innererror: { code: "ForbiddenByFirewall" } } })
  })

  test.each([
    ["without a version of the API", ""],
    ["with more in its query", "?api-version=2025-07-01&x=1"],
  ])("and failed %s", async (_, query) => {
    expect((await get("shop-db", await token(), query)).status).toBe(404)
    await expect(vault.close()).rejects.toThrow("/secrets/shop-db")
    vault = await startKeyVault(azure)
  })
})

test("a secret is given by its name in any case, its id as it was made, and its dates are only told", async () => {
  const bearer = await token()
  for (const name of ["shop-db", "SHOP-DB"]) {
    const { status, body } = await get(name, bearer)
    expect(status).toBe(200)
    expect(body).toMatchObject({ value: "new", attributes: { enabled: true, exp: 1_700_000_000 } })
    expect(body?.["id"]).toMatch(new RegExp(`^${vault.url}/secrets/Shop-DB/[0-9a-f]{32}$`))
  }
  expect(await get(`shop-db/${OLD}`, bearer)).toMatchObject({
    body: { value: "old", id: `${vault.url}/secrets/Shop-DB/${OLD}` },
  })
  expect(vault.requests[0]).toBe("GET /secrets/shop-db 200")
})

test("a role on the vault gives all of it", async () => {
  vault.assign({ clientId: OTHER })
  expect((await get("secret", await token(OTHER))).status).toBe(200)
  expect((await get("nothing", await token(OTHER))).status).toBe(404)
})

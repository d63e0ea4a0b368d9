import { describe, expect, it } from "vitest"
import { crc32c } from "../../../broker/providers/google/secret-manager/crc32c.ts"
import { connection } from "../../../broker/providers/google/secret-manager/grant.ts"
import { googleSecretManager } from "../../../broker/providers/google/secret-manager/provider.ts"
import { json, storeWorld } from "./store-world.ts"

const POOL_PROVIDER = "projects/123456789012/locations/global/workloadIdentityPools/daypass/providers/broker"
const ACCOUNT = "shop-secrets@acme-prod.iam.gserviceaccount.com"
const SETTINGS = { workload_identity_provider: POOL_PROVIDER, project: "acme-prod" }
const isConnection = (change: Record<string, unknown>) => connection.safeParse({ ...SETTINGS, ...change }).success
const faultOf = (locator: string) => googleSecretManager.grant.safeParse({ read: { VALUE: locator } }).error?.message

describe("a connection to Secret Manager", () => {
  it.each<readonly [string, Record<string, unknown>]>([
    ["nothing but a pool's provider and a project", {}],
    ["a project's number", { project: "123456789012" }],
    ["a project of a domain", { project: "example.com:acme-prod" }],
    ["a region and an account", { location: "europe-west3", service_account: ACCOUNT }],
    ["a private endpoint", { endpoint: "https://secretmanager-acme.p.googleapis.com" }],
    ["a cache", { cache: "5m" }],
  ])("may have %s", (_, change) => {
    expect(isConnection(change)).toBe(true)
  })

  it.each<readonly [string, Record<string, unknown>]>([
    ["no project", { project: undefined }],
    ["a project with a path", { project: "acme-prod/secrets/x" }],
    ["a number with a line break", { project: "123456789012\n" }],
    ["a region that goes on as another host", { location: "x.example.com/" }],
    ["a region in capitals", { location: "EUROPE-WEST3" }],
    ["two accounts", { service_account: `${ACCOUNT},${ACCOUNT}` }],
    ["an endpoint with a path", { endpoint: "https://secretmanager.googleapis.com/v1" }],
    ["an endpoint over http", { endpoint: "http://secretmanager.googleapis.com" }],
    ["a cache of an hour", { cache: "1h" }],
    ["an unknown key", { service_accounts: [ACCOUNT] }],
  ])("never has %s", (_, change) => {
    expect(isConnection(change)).toBe(false)
  })
})

describe("the locators of Secret Manager", () => {
  it.each(["shop-db", "SHOP_DB_1", "7", "shop-db@7", "shop-db@blue-2", "shop-db#user", "shop-db@7#a.b", "shop#@"])(
    "include %j",
    (locator) => {
      expect(faultOf(locator)).toBeUndefined()
    },
  )

  it.each([
    ["projects/acme-prod/secrets/shop-db", "so write shop-db"],
    ["shop/db", "only the secret's name"],
    ["shop-db/versions/7", "only the secret's name"],
    ["../shop-db", "only the secret's name"],
    ["shop.db", "only the secret's name"],
    ["shop%2Ddb", "only the secret's name"],
    ["shop-db:access", "only the secret's name"],
    ["shop-db?alt=media", "only the secret's name"],
    [" shop-db", "only the secret's name"],
    ["x".repeat(256), "only the secret's name"],
    ["@7", "only the secret's name"],
    ["shop-db@7@8", "only the secret's name"],
    ["shop-db@latest", "remove the @"],
    ["shop-db@Latest", "remove the @"],
    ["shop-db@new", "remove the @"],
    ["shop-db@", "an alias as its version, or a number"],
    ["shop-db@0", "an alias as its version, or a number"],
    ["shop-db@07", "an alias as its version, or a number"],
    ["shop-db@-1", "an alias as its version, or a number"],
    ["shop-db@7/../8", "an alias as its version, or a number"],
    [`shop-db@${"a".repeat(64)}`, "an alias as its version, or a number"],
    ["shop-db#", "must name a field after the #"],
    ["shop-db#a#b", "only the secret's name"],
  ])("do not include %j", (locator, says) => {
    expect(faultOf(locator)).toContain(says)
  })
})

describe("reading from Secret Manager", () => {
  const login = { access_token: "ya29.x", issued_token_type: "urn:ietf:params:oauth:token-type:access_token" }
  const respond = (url: string) => {
    const name = /\/secrets\/([^/]+)\//.exec(url)?.[1]
    if (name === undefined) return json(200, { ...login, token_type: "Bearer", expires_in: 298 })
    const payload = { data: btoa(name), dataCrc32c: String(crc32c(new TextEncoder().encode(name))) }
    return json(200, { name: `projects/1/secrets/${name}/versions/1`, payload })
  }

  it("asks for eight versions at a time, and for each once", async () => {
    const read = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`V${at}`, `secret-${at}`]))
    const { mint, most, urls } = storeWorld(googleSecretManager, SETTINGS, respond)
    const { values } = await mint({ ...read, AGAIN: "secret-3" })
    expect(Object.keys(values)).toHaveLength(21)
    expect([most(), urls.length, new Set(urls).size]).toEqual([8, 21, 21])
  })

  it("keeps its login, and makes another when that is refused", async () => {
    let refusals = 0
    const { mint, urls } = storeWorld(googleSecretManager, SETTINGS, (url) =>
      url.includes("/secrets/") && refusals-- > 0
        ? json(401, { error: { code: 401, status: "UNAUTHENTICATED", message: "" } })
        : respond(url),
    )
    await mint({ V: "a" })
    await mint({ V: "a" })
    expect(urls.filter((url) => url.endsWith("/v1/token"))).toHaveLength(1)
    refusals = 1
    await mint({ V: "a" })
    expect(urls.filter((url) => url.endsWith("/v1/token"))).toHaveLength(2)
  })
})

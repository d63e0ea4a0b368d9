import { describe, expect, it } from "vitest"
import { connection, scopeOf } from "../../../broker/providers/azure/key-vault/grant.ts"
import { azureKeyVault } from "../../../broker/providers/azure/key-vault/provider.ts"
import { json, storeWorld } from "./store-world.ts"

const VERSION = "4387e9f3d6e14c459867679a90fd0f79"
const ENTRA = { tenant: "7c1f0a52-3b6e-4d7a-9c55-2f8e1d0b4a63", client_id: "0b9d6f3c-52a1-4e0f-8d7b-61c3a9e2f504" }
const SETTINGS = { ...ENTRA, vault: "acme-prod" }
const isConnection = (change: Record<string, unknown>) => connection.safeParse({ ...ENTRA, ...change }).success
const faultOf = (locator: string) => azureKeyVault.grant.safeParse({ read: { VALUE: locator } }).error?.message

describe("a connection to Key Vault", () => {
  it.each<readonly [string, Record<string, unknown>]>([
    ["a vault", { vault: "acme-prod" }],
    ["the shortest and the longest name", { vault: "abc", cache: "10m" }],
    ["a vault of 24 characters", { vault: "a23456789-123456789-1234" }],
    ["a sovereign cloud's vault", { url: "https://acme-prod.vault.azure.cn" }],
    ["a port", { url: "https://vault.example.com:8443" }],
    ["a vault on this machine", { url: "http://127.0.0.1:8080" }],
  ])("may have %s", (_, change) => {
    expect(isConnection(change)).toBe(true)
  })

  it.each<readonly [string, Record<string, unknown>]>([
    ["no vault", {}],
    ["a vault and a URL", { vault: "acme-prod", url: "https://acme-prod.vault.azure.net" }],
    ["a vault in capitals", { vault: "Acme-Prod" }],
    ["a vault that goes on as another host", { vault: "acme.example.com/" }],
    ["a vault's host", { vault: "acme-prod.vault.azure.net" }],
    ["two dashes in a row", { vault: "acme--prod" }],
    ["a dash at the end", { vault: "acme-" }],
    ["a digit at the beginning", { vault: "1acme" }],
    ["a name of 25 characters", { vault: "a23456789-123456789-12345" }],
    ["a name of two", { vault: "ab" }],
    ["a URL with a slash at its end", { url: "https://acme-prod.vault.azure.cn/" }],
    ["a URL with a path", { url: "https://acme-prod.vault.azure.cn/secrets" }],
    ["a URL in capitals", { url: "https://Acme-Prod.vault.azure.cn" }],
    ["a URL over http", { url: "http://acme-prod.vault.azure.cn" }],
    ["a URL with credentials", { url: "https://a:b@acme-prod.vault.azure.cn" }],
    ["a client that is no id", { vault: "acme-prod", client_id: "shop" }],
    ["a list of clients", { vault: "acme-prod", client_ids: [ENTRA.client_id] }],
  ])("never has %s", (_, change) => {
    expect(isConnection(change)).toBe(false)
  })

  it.each([
    [{ vault: "acme-prod" }, "https://vault.azure.net/.default"],
    [{ url: "https://acme-prod.vault.azure.net" }, "https://vault.azure.net/.default"],
    [{ url: "https://acme-prod.vault.azure.cn" }, "https://vault.azure.cn/.default"],
    [{ url: "https://acme-prod.vault.usgovcloudapi.net" }, "https://vault.usgovcloudapi.net/.default"],
    [{ url: "https://vault.azure.cn.example.com" }, "https://vault.azure.net/.default"],
    [{ url: "https://evilvault.azure.cn" }, "https://vault.azure.net/.default"],
  ])("%j wants a token for %s", (settings, scope) => {
    expect(scopeOf(settings)).toBe(scope)
  })
})

describe("the locators of Key Vault", () => {
  it.each(["shop-db", "7", "-", `shop-db@${VERSION}`, "shop-db#user", `shop-db@${VERSION}#a.b`, "x".repeat(127)])(
    "include %j",
    (locator) => {
      expect(faultOf(locator)).toBeUndefined()
    },
  )

  it.each([
    ["Shop-DB", "must be in lower case"],
    ["https://acme-prod.vault.azure.net/secrets/shop-db", "so write shop-db"],
    [`shop-db/${VERSION}`, "only the secret's name"],
    ["../keys/shop-db", "only the secret's name"],
    ["shop_db", "only the secret's name"],
    ["shop-db?api-version=7.0", "only the secret's name"],
    ["shop%2Ddb", "only the secret's name"],
    ["shop-db ", "only the secret's name"],
    ["x".repeat(128), "only the secret's name"],
    [`@${VERSION}`, "only the secret's name"],
    [`shop-db@${VERSION}@${VERSION}`, "only the secret's name"],
    ["shop-db@", "must have a version of Key Vault's form"],
    ["shop-db@latest", "must have a version of Key Vault's form"],
    [`shop-db@${VERSION.toUpperCase()}`, "must have a version of Key Vault's form"],
    [`shop-db@${VERSION}0`, "must have a version of Key Vault's form"],
    ["shop-db#", "must name a field after the #"],
    ["shop-db#a#b", "only the secret's name"],
  ])("do not include %j", (locator, says) => {
    expect(faultOf(locator)).toContain(says)
  })
})

describe("reading from Key Vault", () => {
  const respond = (url: string) => {
    const name = /\/secrets\/([^/?]+)/.exec(url)?.[1]
    if (name === undefined) return json(200, { token_type: "Bearer", expires_in: 3_599, access_token: "e.y.J" })
    const id = `https://acme-prod.vault.azure.net/secrets/${name}/${VERSION}`
    return json(200, { value: name, id, attributes: { enabled: true } })
  }

  it("asks for eight secrets at a time, and for each once", async () => {
    const read = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`V${at}`, `secret-${at}`]))
    const { mint, most, urls } = storeWorld(azureKeyVault, SETTINGS, respond)
    const { values } = await mint({ ...read, AGAIN: "secret-3" })
    expect(Object.keys(values)).toHaveLength(21)
    expect([most(), urls.length, new Set(urls).size]).toEqual([8, 21, 21])
  })

  it("keeps its login, and makes another when that is refused", async () => {
    let refusals = 0
    const { mint, urls } = storeWorld(azureKeyVault, SETTINGS, (url) =>
      url.includes("/secrets/") && refusals-- > 0 ? json(401, { error: { code: "Unauthorized" } }) : respond(url),
    )
    await mint({ V: "a" })
    await mint({ V: "a" })
    expect(urls.filter((url) => url.includes("/oauth2/"))).toHaveLength(1)
    refusals = 1
    await mint({ V: "a" })
    expect(urls.filter((url) => url.includes("/oauth2/"))).toHaveLength(2)
  })
})

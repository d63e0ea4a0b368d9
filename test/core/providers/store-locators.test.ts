import { describe, expect, it } from "vitest"
import { compilePattern, matchPattern } from "../../../broker/core/policy/pattern.ts"
import { parseReference, connection as viaConnect } from "../../../broker/providers/1password/grant.ts"
import { onePassword } from "../../../broker/providers/1password/provider.ts"
import { azureKeyVault } from "../../../broker/providers/azure/key-vault/provider.ts"
import { batchesOf } from "../../../broker/providers/conjur/api.ts"
import { conjur } from "../../../broker/providers/conjur/provider.ts"
import { doppler } from "../../../broker/providers/doppler/provider.ts"
import { googleSecretManager } from "../../../broker/providers/google/secret-manager/provider.ts"
import { infisical } from "../../../broker/providers/infisical/provider.ts"
import type { Provider } from "../../../broker/providers/provider.ts"
import { serviceUrl } from "../../../broker/providers/service.ts"

const PROJECT = "6f0b9c2e-1d34-4a57-8e90-b1c2d3e4f506"
const takes = ({ grant }: Pick<Provider, "grant">, locator: string) =>
  grant.safeParse({ read: { VALUE: locator } }).success

describe.each([
  [
    onePassword,
    [
      "op://prod/db/password",
      "op://Shop Production/Data base (eu)/Admin, all/pass word",
      "op://vault11111111111111111111/item222222222222222222222/Ключ",
      "op://id:vault111111111111111111111/id:item2222222222222222222222/id:add more/id:password",
      "op://Shop/ID:x/a id:b",
      "op://a/b/c#d",
    ],
    [
      "prod/db/password",
      "OP://prod/db/password",
      "op://prod/db",
      "op://prod/db/a/b/c",
      "op://prod//password",
      "op:///db/password",
      "op://prod/db/",
      "op://prod/../db/password",
      "op://prod/./password",
      "op://prod/db /password",
      "op://prod/db/pass\u00a0word",
      "op://prod/db/pass\u200bword",
      "op://prod/db/\ud800",
      'op://prod/d"b/password',
      "op://prod/d\\b/password",
      "op://prod/my%20db/password",
      "op://prod/db/code?attribute=otp",
      "op://id:prod/db/password",
      "op://prod/id:db/password",
      "op://prod/id:Item2222222222222222222222/password",
      "op://prod/id:id:item2222222222222222222222/password",
      "op://id:/db/password",
      "op://prod/db/id:",
      "op://prod/db/id: password",
      "op://prod/db/id:..",
    ],
  ],
  [
    doppler,
    ["shop/prd/DATABASE_URL", "shop-2/prd_eu/_X1", "shop/prd/KEYS#old"],
    [
      "DATABASE_URL",
      "shop/prd",
      "shop/prd/eu/X",
      "/shop/prd/X",
      "shop//X",
      "Shop/prd/X",
      "shop/../X",
      "shop/prd/x",
      "shop/prd/1X",
      "shop/prd/X,Y",
      "shop/prd/X&project=other",
      "shop/prd/X#",
      "shop/prd/X#a/b#",
      "shop/prd/X%2F",
    ],
  ],
  [
    infisical,
    [`${PROJECT}/prod/X`, `${PROJECT}/prod/payments/EU_1/db.password`, "64f1c2/dev/KEYS#old"],
    [
      "X",
      `${PROJECT}/prod`,
      `${PROJECT}/prod/`,
      `${PROJECT}/prod//X`,
      `/${PROJECT}/prod/X`,
      `${PROJECT}/Prod/X`,
      `${PROJECT}/prod/a/../X`,
      `${PROJECT}/prod/./X`,
      `${PROJECT}/prod/..`,
      `${PROJECT}/prod/a b/X`,
      `${PROJECT}/prod/X?type=personal`,
      `${PROJECT}/prod/X:3`,
      `${PROJECT}/prod/%2e%2e/X`,
      `${PROJECT}/prod/X#`,
    ],
  ],
  [
    conjur,
    ["password", "data/vault/Shop Safe/db-1/address@host", "prod/db:eu/keys#old"],
    [
      "/prod/db",
      "prod/db/",
      "prod//db",
      "prod/../db",
      "./db",
      "prod/ db",
      "prod/db,prod/other",
      "prod/db%2Fother",
      'prod/"db"',
      "prod\\db",
      "prod/db?version=1",
      "prod/db#",
      "prod/db#a#b",
      "data/dynamic/aws/shop",
    ],
  ],
] as const)("the locators of $name", (provider, good, bad) => {
  it.each(good)("include %j", (locator) => {
    expect(takes(provider, locator)).toBe(true)
  })

  it.each(bad)("do not include %j", (locator) => {
    expect(takes(provider, locator)).toBe(false)
  })
})

describe("a reference of 1Password's", () => {
  it.each([
    ["op://v/i/f", { vault: "v", item: "i", section: null, field: "f" }],
    ["op://v v/i/s/f", { vault: "v v", item: "i", section: "s", field: "f" }],
  ])("%s has its parts", (locator, parts) => {
    expect(parseReference(locator)).toEqual({ ok: true, value: parts })
  })

  it("says of what is missing that it is, and of an attribute that there is none", () => {
    expect(parseReference("op://v/i")).toMatchObject({ fault: expect.stringContaining("too few") })
    expect(parseReference("op://v/i/f?attribute=otp")).toMatchObject({ fault: expect.stringContaining("one-time") })
    expect(parseReference('op://v/i/"')).toMatchObject({ fault: expect.stringMatching(/characters: " \\ % \?$/) })
  })
})

describe("a ceiling over 1Password", () => {
  const ITEM = "abcdefghijklmnopqrstuvwxyz"
  const allows = (ceiling: string, locator: string) => {
    const pattern = compilePattern(ceiling)
    return pattern.ok && takes(onePassword, locator) && matchPattern(pattern.value, locator)
  }

  it("over names is over no id, however it looks", () => {
    expect(allows("op://Shop/a*/password", "op://Shop/api/password")).toBe(true)
    for (const ceiling of ["op://Shop/a*/password", "op://Shop/*/password", "op://Shop/i*/password"])
      expect(allows(ceiling, `op://Shop/id:${ITEM}/password`)).toBe(false)
  })

  it("over ids is over no name", () => {
    expect(allows("op://Shop/id:*/password", `op://Shop/id:${ITEM}/password`)).toBe(true)
    expect(allows("op://Shop/id:*/password", `op://Shop/${ITEM}/password`)).toBe(false)
  })
})

describe("what is copied from a store's own pages or API", () => {
  const ID = "0a".repeat(16)
  const GOOGLE_API = "https://secretmanager.googleapis.com/v1"

  it.each([
    [googleSecretManager, "projects/acme-prod/secrets/stripe", "so write stripe"],
    [googleSecretManager, "projects/123456789012/secrets/stripe/versions/3#key", "so write stripe@3#key"],
    [googleSecretManager, "projects/acme-prod/secrets/stripe/versions/latest", "so write stripe"],
    [googleSecretManager, "projects/acme-prod/locations/europe-west3/secrets/db/versions/live", "so write db@live"],
    [googleSecretManager, `${GOOGLE_API}/projects/p/secrets/db/versions/1:access`, "so write db@1"],
    [azureKeyVault, "https://acme-prod.vault.azure.net/secrets/Stripe-Key", "so write stripe-key"],
    [azureKeyVault, `https://acme.vault.azure.net/secrets/db/${ID}#pw`, `so write db@${ID}#pw`],
    [azureKeyVault, "https://portal.azure.com/", "so write NAME[@VERSION]"],
    [onePassword, "https://start.1password.com/open/i?a=b", "must have the form op://VAULT/ITEM/[SECTION/]FIELD"],
    [doppler, "https://dashboard.doppler.com/workplace/w/projects/shop", "must have the form PROJECT/CONFIG/NAME"],
    [infisical, "https://app.infisical.com/api/v4/secrets/KEY", "write PROJECT_ID/ENVIRONMENT/[FOLDER/...]NAME"],
    [conjur, "https://conjur.example.com/secrets/acme/variable/prod", "as data/shop/db/password"],
  ] as const)("is no locator of $name: of %s the fault ends with %j", (provider, locator, remedy) => {
    const { error } = provider.grant.safeParse({ read: { VALUE: locator } })
    expect(error?.issues.map(({ message }) => message.endsWith(remedy) || message)).toEqual([true])
  })

  it("is no locator of Conjur with account and kind before it", () => {
    const settings = conjur.connection.parse({ url: "https://c.example", account: "acme", authenticator: "d" })
    const check = (locator: string) => conjur.check?.(conjur.grant.parse({ read: { V: locator } }), settings)
    expect(check("acme:variable:prod/db#host")).toContain("write the variable's alone, prod/db#host")
    for (const locator of ["prod/db:eu/keys", "other:variable:prod/db", "variable:x"]) expect(check(locator)).toBeNull()
  })
})

describe("a connection's list", () => {
  const listed = [
    [onePassword, { url: "https://c.example", token: "env:T", vaults: ["Shop"] }, "op://Shop/i/f", "op://shop/i/f"],
    [doppler, { identity: "i", projects: ["shop"] }, "shop/prd/X", "shop-2/prd/X"],
    [infisical, { identity_id: PROJECT, projects: [PROJECT] }, `${PROJECT}/prod/X`, "other/prod/X"],
  ] as const

  it.each(listed)("holds grants of $name to what it names, to the letter", (store, settings, inside, outside) => {
    const provider: Provider = store as never
    const connection = provider.connection.parse(settings)
    const check = (locator: string) => provider.check?.(provider.grant.parse({ read: { V: locator } }), connection)
    expect(check(inside)).toBeNull()
    expect(check(outside)).toContain(outside)
  })

  it("names no vault as no reference could", () => {
    for (const vault of ["a/b", 'a"b', "", " a", "id:", "id:shop"])
      expect(viaConnect.safeParse({ url: "https://c.example", token: "env:T", vaults: [vault] }).success).toBe(false)
  })
})

describe("a service's URL", () => {
  it.each(["https://a.example", "https://a.example:8443/api", "http://127.0.0.1:8080", "http://localhost:1/x"])(
    "may be %s",
    (url) => {
      expect(serviceUrl.safeParse(url).success).toBe(true)
    },
  )

  it.each([
    "http://a.example",
    "https://a.example/",
    "https://a.example/api/",
    "https://a.example/api?x=1",
    "https://a.example#x",
    "https://A.example",
    "https://a.example:443",
    "https://a.example/a/../b",
    "https://user:password@a.example",
    "https://a.example/a b",
    "a.example",
  ])("is not %s", (url) => {
    expect(serviceUrl.safeParse(url).success).toBe(false)
  })
})

describe("a batch of Conjur's", () => {
  it("has all variables, in order, and none of them twice", () => {
    const variables = Array.from({ length: 64 }, (_, at) => `data/${"é".repeat(at % 40)}/${at}`)
    const settings = conjur.connection.parse({ url: "https://c.example", account: "a", authenticator: "d" })
    const batches = batchesOf(variables, settings)
    expect(batches.flat()).toEqual(variables)
    expect(batches.length).toBeGreaterThan(1)
    expect(batches.every((batch) => batch.length > 0)).toBe(true)
    expect(batchesOf(["x".repeat(512)], settings)).toEqual([["x".repeat(512)]])
  })
})

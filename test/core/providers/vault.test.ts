import { describe, expect, it } from "vitest"
import type * as z from "zod"
import { fail, ok } from "../../../broker/core/result.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { vaultOf } from "../../../broker/providers/vault/api.ts"
import { connection, grant } from "../../../broker/providers/vault/grant.ts"
import { handleOf, openHandle } from "../../../broker/providers/vault/handle.ts"
import { parseLocator, secretAt } from "../../../broker/providers/vault/locator.ts"
import { vault } from "../../../broker/providers/vault/provider.ts"

const holds = (schema: z.ZodType, value: unknown) => schema.safeParse(value).success

describe("a connection to Vault", () => {
  const whole = { url: "https://vault.acme.example:8200", roles: ["shop-deploy"] }

  it.each<readonly [string, object]>([
    ["what is needed alone", {}],
    ["a URL with a path", { url: "https://gateway.acme.example/vault" }],
    ["an agent on loopback", { url: "http://127.0.0.1:8100" }],
    ["mounts below others", { mount: "ci/github", kv: { "team/kv": 2, legacy: 1 } }],
    ["a namespace and an audience", { namespace: "acme/ci", audience: "vault" }],
    ["roles by a pattern", { roles: ["ci-*", "deploy"] }],
    ["secrets engines that mint", { dynamic: { "database/creds/*": {}, "ci/pki/issue/**": { ttl_parameter: "ttl" } } }],
  ])("takes %s", (_, change) => {
    expect(holds(connection, { ...whole, ...change })).toBe(true)
  })

  it.each<readonly [string, object]>([
    ["a slash at the end", { url: "https://vault.acme.example/" }],
    ["a query", { url: "https://vault.acme.example?x=1" }],
    ["a fragment", { url: "https://vault.acme.example#x" }],
    ["a user", { url: "https://root:token@vault.acme.example" }],
    ["http elsewhere", { url: "http://vault.acme.example" }],
    ["a path that leads up", { url: "https://vault.acme.example/a/../b" }],
    ["a mount that leads elsewhere", { mount: "jwt/../../sys" }],
    ["a mount with a query", { mount: "jwt?x" }],
    ["a namespace that ends a header", { namespace: "acme\r\nX-Vault-Token: x" }],
    ["no roles", { roles: [] }],
    ["a role that is a path", { roles: ["a/b"] }],
    ["a role of three stars", { roles: ["a***"] }],
    ["a KV engine of version 3", { kv: { secret: 3 } }],
    ["no KV engine where the key is there", { kv: {} }],
    ["a KV engine where Vault has its own", { kv: { "team/auth": 1 } }],
    ["a token", { token: "s.abc" }],
    ["no secrets engine where the key is there", { dynamic: {} }],
    ["secrets engines at any mount", { dynamic: { "**": {} } }],
    ["secrets engines at mounts by a pattern", { dynamic: { "data*/creds/a": {} } }],
    ["a mount alone", { dynamic: { database: {} } }],
    ["an engine of three stars", { dynamic: { "database/***": {} } }],
    ["an engine whose path leads elsewhere", { dynamic: { "database/../sys/*": {} } }],
    ["an engine with a query", { dynamic: { "database/creds/a?b": {} } }],
    ["an engine in Vault's own system", { dynamic: { "sys/policies/*": {} } }],
    ["an engine that gives Vault's tokens", { dynamic: { "auth/token/create": {} } }],
    ["an engine in the system of a namespace below", { dynamic: { "team/auth/**": {} } }],
    ["an engine of which something else is said", { dynamic: { "database/creds/*": { ttl: "1h" } } }],
    ["an engine whose parameter is none", { dynamic: { "pki/issue/*": { ttl_parameter: "" } } }],
    ["a list of engines", { dynamic: ["database/creds/*"] }],
  ])("refuses %s", (_, change) => {
    expect(holds(connection, { ...whole, ...change })).toBe(false)
  })
})

describe("a locator", () => {
  it.each([
    ["secret/shop/db#password", { secret: "secret/shop/db", version: null, field: "password" }],
    ["secret/shop/db?version=12#api key", { secret: "secret/shop/db", version: 12, field: "api key" }],
    ["team/kv/.env/a@b=c#x", { secret: "team/kv/.env/a@b=c", version: null, field: "x" }],
  ] as const)("%s names a secret, a version and a field", (text, parts) => {
    expect(parseLocator(text)).toEqual(ok(parts))
  })

  it.each([
    "secret/shop/db",
    "secret/shop/db#",
    "secret#password",
    "/secret/shop#x",
    "secret/shop/#x",
    "secret//shop#x",
    "secret/../sys/seal#x",
    "secret/./shop#x",
    "secret/%2e%2e/sys#x",
    "secret/shop\\db#x",
    "secret/shop db#x",
    "secret/shop?version=0#x",
    "secret/shop?version=-1#x",
    "secret/shop?version=#x",
    "secret/shop?list=true#x",
    "secret/shop?version=1&list=true#x",
    "secret/shop?version=1?version=2#x",
    "secret/shop#a#b",
    `secret/${"a".repeat(600)}#x`,
  ])("is not %s", (text) => {
    expect(parseLocator(text)).toEqual(fail(expect.stringMatching(/^(?:names|must|may|is) /)))
  })

  it("is no URL", () => {
    const url = "https://vault.acme.example:8200/v1/secret/data/shop/app#k"
    expect(parseLocator(url)).toEqual(fail(expect.stringContaining("is a URL: write MOUNT/PATH#FIELD")))
  })

  it("is in the longest mount that begins it", () => {
    const mounts = { secret: 2, "secret/team": 1 } as const
    expect(secretAt("secret/team/db", mounts)).toEqual({ mount: "secret/team", kv: 1, path: "db" })
    expect(secretAt("secret/teams/db", mounts)).toEqual({ mount: "secret", kv: 2, path: "teams/db" })
    expect(secretAt("secrets/team/db", mounts)).toBeNull()
  })
})

describe("a grant of Vault", () => {
  const dynamic = { role: "shop", dynamic: "database/creds/shop-rw", env: { PGUSER: "username" } }

  it.each<readonly [string, object]>([
    ["secrets", { role: "shop", read: { A: "secret/shop#a", B: { from: "secret/shop#b", as: "file" } } }],
    ["what an engine mints", dynamic],
    ["what an engine is asked for", { ...dynamic, parameters: { common_name: "shop.acme.example" } }],
    ["a role of an engine with a name of Vault's own", { ...dynamic, dynamic: "database/creds/auth" }],
    ["a token", { role: "shop", token: true }],
  ])("offers %s", (_, value) => {
    expect(holds(grant, value)).toBe(true)
  })

  it.each<readonly [string, object]>([
    ["nothing", { role: "shop" }],
    ["two kinds", { ...dynamic, token: true }],
    ["no role", { token: true }],
    ["a role that leads elsewhere", { role: "../shop", token: true }],
    ["what is minted for no variable", { role: "shop", dynamic: "database/creds/shop-rw" }],
    ["variables of nothing", { role: "shop", token: true, env: { PGUSER: "username" } }],
    ["parameters of nothing", { role: "shop", read: { A: "secret/a#a" }, parameters: { a: "b" } }],
    ["one field twice", { ...dynamic, env: { PGUSER: "username", USER_NAME: "username" } }],
    ["a variable that changes what runs", { ...dynamic, env: { LD_PRELOAD: "username" } }],
    ["a field that is none", { ...dynamic, env: { PGUSER: "user name" } }],
    ["a parameter for lifetimes, which is the connection's to say", { ...dynamic, ttl_parameter: "ttl" }],
    ["a parameter that is no text", { ...dynamic, parameters: { exclude_cn_from_sans: true } }],
    ["a mount alone", { ...dynamic, dynamic: "database" }],
    ["Vault's own system", { ...dynamic, dynamic: "sys/policies/acl/root" }],
    ["tokens of another kind", { ...dynamic, dynamic: "auth/token/create" }],
    ["the system of a namespace below", { ...dynamic, dynamic: "team/sys/policies/acl/root" }],
    ["a path that leads elsewhere", { ...dynamic, dynamic: "database/../sys/seal" }],
    ["a path with a query", { ...dynamic, dynamic: "database/creds/a?b=c" }],
    ["a token that is not there", { role: "shop", token: false }],
  ])("does not offer %s", (_, value) => {
    expect(holds(grant, value)).toBe(false)
  })
})

describe("a grant of Vault and its connection", () => {
  const settings = connection.parse({
    url: "https://v.example",
    roles: ["ci-*", "deploy"],
    kv: { secret: 2, legacy: 1 },
    dynamic: {
      "database/creds/*": {},
      "pki/issue/*": { ttl_parameter: "ttl" },
      "pki/issue/web-*": { ttl_parameter: "ttl" },
      "pki/issue/*-short": { ttl_parameter: "not_after" },
      "legacy/**": {},
    },
  })
  const env = { A: "a" }
  const conflict = (wanted: object) => vault.check?.(grant.parse({ role: "ci-shop", ...wanted }), settings) ?? null

  it("agree on roles and mounts that the connection lists", () => {
    expect(conflict({ token: true })).toBeNull()
    expect(conflict({ token: true, role: "deploy" })).toBeNull()
    expect(conflict({ read: { A: "secret/a?version=1#a", B: "legacy/b#b" } })).toBeNull()
  })

  it("disagree on what it does not list, and on versions of what keeps one", () => {
    expect(conflict({ token: true, role: "admin" })).toContain("not among the connection's roles")
    expect(conflict({ token: true, role: "ci_shop" })).toContain("not among the connection's roles")
    expect(conflict({ read: { A: "other/a#a" } })).toContain("not in a KV mount")
    expect(conflict({ read: { A: "legacy/a?version=1#a" } })).toContain("stores only one")
    expect(conflict({ dynamic: "legacy/a", parameters: { a: "b" }, env: { A: "a" } })).toContain("does not mint")
  })

  it("agree on paths that the connection lets engines mint at", () => {
    for (const dynamic of ["database/creds/shop-rw", "pki/issue/web", "pki/issue/web-1"])
      expect(conflict({ dynamic, env })).toBeNull()
  })

  it.each([
    ["database/config/shop", {}, 'add it to the connection, as dynamic: { "database/config/shop": {} }'],
    ["database/creds/shop/rw", {}, "(database/creds/*, pki/issue/*"],
    ["transit/decrypt/key", { ciphertext: "a" }, "not among the connection's dynamic paths"],
    ["kv/shop", {}, "not among the connection's dynamic paths"],
    ["secret/data/shop", {}, "does not mint"],
    ["pki/issue/web", { ttl: "24h" }, "remove it from parameters"],
    ["pki/issue/a-short", {}, "differ in ttl_parameter"],
  ])("disagree on minting at %s with %j", (dynamic, parameters, says) => {
    expect(conflict({ dynamic, env, parameters })).toContain(says)
  })

  it("have nothing minted where the connection lists no path", () => {
    const bare = connection.parse({ url: "https://v.example", roles: ["ci-*"] })
    const fault = vault.check?.(grant.parse({ role: "ci-a", dynamic: "database/creds/a", env }), bare)
    expect(fault).toBe(
      'database/creds/a is not among the connection\'s dynamic paths: add it to the connection, as dynamic: { "database/creds/a": {} }',
    )
  })

  it.each([
    ["secret/data/shop/app#k", "has data/", "write secret/shop/app#k"],
    ["secret/data/shop/app?version=3#k", "has data/", "write secret/shop/app?version=3#k"],
    ["secret/metadata/shop/app#k", "has metadata/", "write secret/shop/app#k"],
    ["v1/secret/data/shop/app#k", "has v1/", "write secret/shop/app#k"],
    ["v1/legacy/data/shop#k", "has v1/", "write legacy/data/shop#k"],
  ])("disagree on %s, which is a path of the API", (locator, has, remedy) => {
    expect(conflict({ read: { A: locator } })).toContain(`${locator} ${has} as paths of Vault's API do`)
    expect(conflict({ read: { A: locator } })).toMatch(new RegExp(`: ${remedy.replace("?", "\\?")}(?:\\.|$)`))
  })

  it.each([
    "legacy/data/shop#k",
    "legacy/metadata/shop#k",
    "secret/data#k",
    "secret/shop/data/app#k",
    "secret/database/a#k",
  ])("agree on %s, whose data is no part of the API", (locator) => {
    expect(conflict({ read: { A: locator } })).toBeNull()
  })

  it.each(["data", "metadata"])("agree on a folder %s where the connection lists it", (folder) => {
    const kv = { secret: 2, [`secret/${folder}`]: 2 } as const
    const listed = connection.parse({ url: "https://v.example", roles: ["ci-*"], kv })
    const read = { A: `secret/${folder}/shop/app#k` }
    const bare = connection.parse({ url: "https://v.example", roles: ["ci-*"] })
    expect(vault.check?.(grant.parse({ role: "ci-a", read }), bare)).toContain(`kv, as secret/${folder}: 2`)
    expect(vault.check?.(grant.parse({ role: "ci-a", read }), listed)).toBeNull()
    expect(secretAt(`secret/${folder}/shop/app`, kv)).toEqual({ mount: "secret", kv: 2, path: `${folder}/shop/app` })
  })

  it("are both outside of a ceiling over paths of the API", () => {
    const fault = (pattern: string, field = "read") => vault.checkCeiling?.(field, pattern, settings)
    expect(fault("secret/data/shop/**")).toContain("write secret/shop/**")
    expect(fault("v1/secret/**")).toContain("write secret/**")
    for (const pattern of ["secret/shop/**", "secret/**", "**", "secret/data*/x#k", "legacy/data/**", "other/data/**"])
      expect(fault(pattern)).toBeNull()
    expect(fault("secret/data/shop/**", "dynamic")).toBeNull()
  })

  it("mounts secret alone when it lists none", () => {
    const bare = connection.parse({ url: "https://v.example", roles: ["ci-*"] })
    expect(vault.check?.(grant.parse({ role: "ci-a", read: { A: "secret/a#a" } }), bare)).toBeNull()
    expect(vault.check?.(grant.parse({ role: "ci-a", read: { A: "kv/a#a" } }), bare)).toContain("(secret)")
  })

  it("are seen by boundaries without how values arrive", () => {
    const read = { A: { from: "secret/a#a", as: "file" }, B: "secret/b#b" }
    expect(vault.underCeiling?.({ role: "x", read })).toEqual({ role: "x", read: { A: "secret/a#a", B: "secret/b#b" } })
    const env = { A: { from: "certificate", as: "file", mode: "0400" }, B: "key" }
    expect(vault.underCeiling?.({ dynamic: "pki/issue/a", env })).toEqual({
      dynamic: "pki/issue/a",
      env: { A: "certificate", B: "key" },
    })
    expect(vault.underCeiling?.({ role: "x", token: true })).toEqual({ role: "x", token: true })
    expect(vault.underCeiling?.(null)).toBeNull()
  })

  it("are told in the audit trail", () => {
    const told = (wanted: object) => vault.resource(grant.parse({ role: "ci-shop", ...wanted }))
    expect(told({ token: true })).toBe("a token of the role ci-shop")
    expect(told({ dynamic: "database/creds/a", env: { A: "b" } })).toBe("database/creds/a")
    expect(told({ read: { A: "secret/a#a", B: "secret/a#b", C: "secret/a#a" } })).toBe("secret/a#a secret/a#b")
  })
})

describe("a handle of Vault", () => {
  it("leads back to the Vault that minted, whatever the connection says now", () => {
    const at = vaultOf("vault", { url: "https://old.example", namespace: "acme" })
    const holding = { token: new Secret("s.token"), leases: ["database/creds/a/b"], isBoundToAddresses: false }
    const opened = openHandle("vault", handleOf(at, holding))
    expect(opened.vault).toEqual(at)
    expect(opened.holding.token.reveal()).toBe("s.token")
    expect(opened.holding).toMatchObject({ leases: holding.leases, isBatch: false })
    expect(openHandle("vault", handleOf(at, { ...holding, isBatch: true })).holding.isBatch).toBe(true)
  })

  it.each([
    ["a token", '{"url":"https://Old.example/vault","token":"s.a","leases":[],"bound":false}'],
    ["leases", '{"url":"https://old.example","namespace":"a","token":"s.a","leases":["db/creds/a/b"],"bound":true}'],
    ["a batch token", '{"url":"https://old.example","token":"b.a","leases":["x"],"bound":false,"batch":true}'],
  ])("that an earlier version sealed for %s still opens", (_, text) => {
    const { url, token, leases } = JSON.parse(text)
    const { vault: at, holding } = openHandle("vault", new Secret(text))
    expect([at.url, holding.token.reveal(), holding.leases]).toEqual([url, token, leases])
  })

  it.each(["", "{}", "[]", "null", '{"token":"s.token"}'])("is not %s", (text) => {
    expect(() => openHandle("vault", new Secret(text))).toThrow("cannot be read")
  })
})

import fc from "fast-check"
import { describe, expect, it } from "vitest"
import * as z from "zod"
import { BrokerError } from "../../../broker/core/errors.ts"
import { fail, ok } from "../../../broker/core/result.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { type Members, readAllField, spread, variableFor, wholeIn } from "../../../broker/providers/read-all.ts"
import { storeProvider, storeSettings } from "../../../broker/providers/store.ts"
import type { StoredValue } from "../../../broker/providers/stored-value.ts"
import { isForbiddenVariable } from "../../../broker/wire/variables.ts"
import { runs } from "../../support/laws.ts"
import { job } from "../job.ts"
import { mintingFrom, revealed } from "./minting.ts"

const side = { name: "The store", connection: "secrets" }
const STRIPE = { from: "shop/stripe", prefix: "STRIPE_" }
const member = (name: string, value: string | Uint8Array = "canary-value", isPublic = false): Members[number] => [
  name,
  { value: typeof value === "string" ? new Secret(value) : new Secret(value), isPublic },
]
const outcome = (members: Members, all: object = STRIPE, taken: readonly string[] = []) => {
  try {
    return Object.fromEntries(
      spread(side, { ...STRIPE, ...all }, members, taken).map(([name, { value }]) => [
        name,
        value instanceof Secret ? `secret ${value.reveal()}` : value,
      ]),
    )
  } catch (error) {
    if (error instanceof BrokerError) return `${error.code}: ${error.detail}`
    throw error
  }
}

describe("the variable of a field", () => {
  it.each([
    ["api_key", "STRIPE_API_KEY"],
    ["API_KEY", "STRIPE_API_KEY"],
    ["api-key", "STRIPE_API_KEY"],
    ["api key", "STRIPE_API_KEY"],
    ["apiKey", "STRIPE_API_KEY"],
    ["api.key", "STRIPE_API_KEY"],
    ["keys/live", "STRIPE_KEYS_LIVE"],
    ["oauth2Token", "STRIPE_OAUTH2_TOKEN"],
    ["clientID", "STRIPE_CLIENT_ID"],
    ["HTTPPort", "STRIPE_HTTPPORT"],
    ["__v__", "STRIPE_V"],
    ["2nd", "STRIPE_2ND"],
    ["clé", "STRIPE_CL"],
    ["Straße 7", "STRIPE_STRA_E_7"],
    // Not İ or ı: upper case must not depend on a language.
    ["id", "STRIPE_ID"],
  ])("of %j is %s", (name, variable) => {
    expect(variableFor("STRIPE_", name)).toBe(variable)
  })

  it("begins with the prefix and has only capital letters, digits and _, whatever the field's name", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (name) => {
        expect(variableFor("STRIPE_", name)).toMatch(/^STRIPE_(?:[A-Z0-9]+(?:_[A-Z0-9]+)*)?$/)
      }),
      { numRuns: runs(2_000) },
    )
  })
})

describe("an item as a whole", () => {
  it("becomes a variable for each field, secret unless the store says that it is public", () => {
    expect(
      outcome([member("api-key", "sk_1"), member("region", "eu", true), member("port", Uint8Array.of(53, 52))]),
    ).toEqual({
      STRIPE_API_KEY: "secret sk_1",
      STRIPE_REGION: "eu",
      STRIPE_PORT: "secret 54",
    })
  })

  it("may have empty values where the grant allows them", () => {
    expect(outcome([member("note", "")], { allow_empty: true })).toEqual({ STRIPE_NOTE: "secret " })
  })

  const many = (count: number, value = "v") => Array.from({ length: count }, (_, at) => member(`n${at}`, value))
  const refused: readonly (readonly [string, Members, string, object?, (readonly string[])?])[] = [
    ["nothing", [], "secret_not_found: The store, connection secrets: shop/stripe has no values"],
    ["two fields of one variable", [member("api-key"), member("apiKey")], "a second field for STRIPE_API_KEY"],
    ["a field of a variable that read has", [member("api-key")], "STRIPE_API_KEY, or read has", {}, ["Stripe_api_key"]],
    ["a field without letters", [member("日本語")], "a field without an ASCII letter or digit in its name"],
    ["a field without a name", [member("")], "a field without an ASCII letter or digit in its name"],
    ["a field with a long name", [member("x".repeat(122))], "more than 128 characters"],
    ["a forbidden variable", [member("editor")], "for STRIPE_EDITOR, which changes how later steps run"],
    [
      "a forbidden variable of a tool",
      [member("config_file")],
      "for AWS_CONFIG_FILE, which changes",
      { prefix: "AWS_" },
    ],
    [
      "a variable that leads a tool away",
      [member("addr")],
      "for VAULT_ADDR, which says where a tool sends its credentials",
      { prefix: "VAULT_" },
    ],
    ["a variable for a tool's file", [member("userconfig")], "NPM_CONFIG_USERCONFIG, which", { prefix: "NPM_CONFIG_" }],
    ["65 values", many(65), "has 65 values, but a grant may have at most 64 variables"],
    ["64 values beside one of read", many(64), "has 64 values", {}, ["OTHER"]],
    ["too much in all", many(5, "x".repeat(60_000)), "has more than 256 KiB in all its values"],
    ["one large value", [member("big", "x".repeat(65_537))], "shop/stripe, for STRIPE_BIG, is larger than 64 KiB"],
    ["an empty value", [member("note", "")], "shop/stripe, for STRIPE_NOTE, is empty"],
    ["a binary value", [member("key", Uint8Array.of(255))], "shop/stripe, for STRIPE_KEY, is binary"],
    ["a value with a NUL", [member("key", "a\0b")], "shop/stripe, for STRIPE_KEY, has a NUL"],
  ]
  it.each(refused.map(([what, members, holds, all = {}, taken = []]) => ({ what, members, holds, all, taken })))(
    "is refused with $what, and names no value",
    ({ members, holds, all, taken }) => {
      const said = outcome(members, all, taken)
      expect(said).toContain(holds)
      expect(said).toMatch(/^secret_(?:unusable|not_found): /)
      expect(said).not.toContain("canary-value")
    },
  )

  it("takes 64 values, and 256 KiB", () => {
    expect(Object.keys(outcome(many(64)))).toHaveLength(64)
    expect(Object.keys(outcome(many(4, "x".repeat(65_536))))).toHaveLength(4)
  })

  it("never sets a variable that is forbidden, outside of its prefix, or twice, whatever the fields", () => {
    const name = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom("EDITOR", "pager", "java-opts", "id", "Id"))
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), fc.constantFrom("STRIPE_", "AWS_", "A_"), (names, prefix) => {
        const got = outcome(
          names.map((one) => member(one)),
          { prefix },
        )
        if (typeof got === "string") return
        expect(Object.keys(got)).toHaveLength(names.length)
        for (const variable of Object.keys(got)) {
          expect(variable.startsWith(prefix)).toBe(true)
          expect(isForbiddenVariable(variable)).toBe(false)
        }
      }),
      { numRuns: runs(2_000) },
    )
  })
})

const parse = (text: string) => (/^[a-z/#X]+$/.test(text) && !text.includes("//") ? ok(text) : fail("is no path"))

describe("what read_all may say", () => {
  const field = readAllField(wholeIn(parse, true))
  it.each<readonly [string, unknown]>([
    ["an item", STRIPE],
    ["a folder", { ...STRIPE, from: "shop/" }],
    ["empty values", { ...STRIPE, allow_empty: true }],
    ["a prefix of a tool's credentials", { ...STRIPE, prefix: "TF_VAR_" }],
    ["a prefix of two characters", { ...STRIPE, prefix: "A_" }],
  ])("is %s", (_, value) => {
    expect(field.safeParse(value).success).toBe(true)
  })

  it.each<readonly [string, unknown]>([
    ["no prefix: whoever edits the item would choose the variables", { from: "shop/stripe" }],
    ["an empty prefix", { ...STRIPE, prefix: "" }],
    // P and the field ath would be PATH.
    ["a prefix that ends within a word", { ...STRIPE, prefix: "P" }],
    ["a prefix of _ alone", { ...STRIPE, prefix: "_" }],
    ["a prefix in small letters", { ...STRIPE, prefix: "stripe_" }],
    ["a prefix that begins with a digit", { ...STRIPE, prefix: "1_" }],
    ["a prefix with a gap's text", { ...STRIPE, prefix: "x_" }],
    ["a prefix of 65 characters", { ...STRIPE, prefix: `${"A".repeat(64)}_` }],
    ["a prefix of forbidden variables", { ...STRIPE, prefix: "LD_" }],
    ["a prefix of GitHub's variables", { ...STRIPE, prefix: "GITHUB_" }],
    ["a field", { ...STRIPE, from: "shop/stripe#key" }],
    ["a text that is no locator", { ...STRIPE, from: "shop//" }],
    ["an empty text", { ...STRIPE, from: "" }],
    ["a control character", { ...STRIPE, from: "shop/\nx" }],
    ["public: an editor of the item could publish a secret", { ...STRIPE, public: true }],
    ["files", { ...STRIPE, as: "file" }],
    ["an unknown key", { ...STRIPE, fields: ["a"] }],
    ["a text", "shop/stripe"],
  ])("is never %s", (_, value) => {
    expect(field.safeParse(value).success).toBe(false)
  })

  it("is no folder where the store cannot list", () => {
    const parsed = readAllField(wholeIn(parse, false)).safeParse({ ...STRIPE, from: "shop/" })
    expect(parsed.error?.issues[0]?.message).toContain("this store gives no folder at once")
  })
})

const asked: string[] = []
const shelf = new Map<string, StoredValue>()
const store = storeProvider({
  name: "shelf",
  summary: "secrets from a shelf",
  title: "The shelf",
  connection: z.strictObject({ ...storeSettings }),
  parse,
  asks: "job",
  whole: {
    async read({ locator }) {
      asked.push(`all of ${locator}`)
      return [...shelf]
        .filter(([name]) => name.startsWith(locator))
        .map(([name, stored]) => [name.slice(locator.length), stored])
    },
  },
  async read(wanted) {
    asked.push(wanted.map(({ locator }) => locator).join(" "))
    return new Map(wanted.map(({ locator }) => [locator, shelf.get(locator) ?? { value: new Secret("") }]))
  },
})

function setUp(cache?: string) {
  asked.length = 0
  shelf.clear()
  return mintingFrom(store, cache)
}
const put = (name: string, value: string, isPublic = false) => shelf.set(name, { value: new Secret(value), isPublic })

const NPM_LOGIN = { from: "npm", as: "npmrc", host: "registry.npmjs.org" }

describe("a grant with read_all", () => {
  it("gets a folder beside single values, and says how many values there are", async () => {
    const { mint } = await setUp()
    put("shop/id", "1")
    put("shop/key", "2")
    put("other", "3")
    const minted = await mint({ read: { OTHER: "other" }, read_all: { from: "shop/", prefix: "SHOP_" } })
    expect(revealed(minted)).toEqual({ OTHER: "3", SHOP_ID: "1", SHOP_KEY: "2" })
    expect(minted).toMatchObject({ count: 3, revocation: "expires-only", expiresAt: null })
    expect(asked).toEqual(["other", "all of shop/"])
  })

  it("gets the members of a JSON object, as they are written", async () => {
    const { mint } = await setUp()
    put("shop/stripe", '{"apiKey":"sk","port":5432,"big":12345678901234567890,"rate":1.10,"live":true,"__proto__":"p"}')
    const minted = await mint({ read_all: STRIPE })
    expect(revealed(minted)).toEqual({
      STRIPE_API_KEY: "sk",
      STRIPE_PORT: "5432",
      STRIPE_BIG: "12345678901234567890",
      STRIPE_RATE: "1.10",
      STRIPE_LIVE: "true",
      STRIPE_PROTO: "p",
    })
    expect(minted.count).toBe(6)
  })

  it.each([
    ["text", "plain", "is read with read_all, but the stored value is not JSON"],
    ["a list", "[1]", "but the stored value is not a JSON object"],
    ["a number", "1", "but the stored value is not a JSON object"],
    ["an empty object", "{}", "has no values"],
    [
      "a member that is a map",
      '{"a":{"b":"canary"}}',
      "shop/stripe, for STRIPE_A, selects a field that is not a single",
    ],
    ["a member that is null", '{"a":null}', "shop/stripe, for STRIPE_A, selects a field that is not a single"],
  ])("gets nothing of %s", async (_, value, holds) => {
    const { mint } = await setUp()
    put("shop/stripe", value)
    const error = await mint({ read_all: STRIPE }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(BrokerError)
    expect((error as BrokerError).detail).toContain(holds)
    expect((error as BrokerError).detail).not.toContain("canary")
  })

  it("is served from memory where its connection caches, whatever the prefix, and only for the same job", async () => {
    const { mint, pass } = await setUp("60s")
    put("shop/id", "1", true)
    put("other", "3")
    const grant = { read_all: { from: "shop/", prefix: "SHOP_" } }
    expect((await mint(grant)).cache).toBe("miss")
    put("shop/id", "rotated", true)
    const again = await mint({ read_all: { from: "shop/", prefix: "OTHER_" } })
    expect([again.cache, revealed(again), again.values["OTHER_ID"]?.value]).toEqual(["hit", { OTHER_ID: "1" }, "1"])
    expect((await mint({ ...grant, read: { OTHER: "other" } })).cache).toBe("partly")
    expect((await mint(grant, job({ claims: { ref: "refs/heads/other" } }))).cache).toBe("miss")
    pass(60)
    expect(revealed(await mint(grant))).toEqual({ SHOP_ID: "rotated" })
    expect(asked).toEqual(["all of shop/", "other", "all of shop/", "all of shop/"])
  })

  it("sets no variable for a login beside it, and hides its value whatever the store says", async () => {
    const { mint } = await setUp("60s")
    put("shop/id", "1", true)
    put("npm", "npm_0123456789", true)
    const grant = { read: { NPM: NPM_LOGIN }, read_all: { from: "shop/", prefix: "SHOP_" } }
    for (const cache of ["miss", "hit"]) {
      const minted = await mint(grant)
      expect(minted).toMatchObject({ cache, count: 2 })
      expect(minted.values["NPM"]).toEqual({
        value: expect.any(Secret),
        logins: [{ tool: "npmrc", host: "registry.npmjs.org" }],
      })
      expect(minted.values["SHOP_ID"]).toEqual({ value: "1", env: "SHOP_ID" })
      expect(revealed(minted)).toEqual({ NPM: "npm_0123456789", SHOP_ID: "1" })
    }
    expect(store.resource(store.grant.parse(grant))).toBe("npm shop/** as SHOP_*")
  })

  it("gets nothing when a field would have the name of a login beside it, or the login's value is unusable", async () => {
    const { mint } = await setUp()
    put("shop/npm", "1")
    put("npm", "npm_0123456789")
    const whole = { from: "shop/", prefix: "SHOP_" }
    await expect(mint({ read: { SHOP_NPM: NPM_LOGIN }, read_all: whole })).rejects.toThrow(/second field for SHOP_NPM/)
    put("npm", "two\nlines")
    await expect(mint({ read: { NPM: NPM_LOGIN }, read_all: whole })).rejects.toThrow(/no bearer token has/)
  })

  it("is not kept in memory while a value of it cannot be delivered", async () => {
    const { mint } = await setUp("60s")
    put("shop/id", "")
    const grant = { read_all: { from: "shop/", prefix: "SHOP_" } }
    await expect(mint(grant)).rejects.toThrow()
    put("shop/id", "mended")
    expect(revealed(await mint(grant))).toEqual({ SHOP_ID: "mended" })
  })

  it("must have it or read", () => {
    expect(store.grant.safeParse({}).success).toBe(false)
  })

  it("is named in the record as a whole, with the pattern of its variables", () => {
    const resource = (grant: unknown) => store.resource(store.grant.parse(grant))
    expect(resource({ read_all: STRIPE })).toBe("shop/stripe/** as STRIPE_*")
    expect(resource({ read: { A: "a" }, read_all: { from: "shop/", prefix: "S_" } })).toBe("a shop/** as S_*")
  })

  it("shows boundaries what it reads, and not how", () => {
    expect(store.underCeiling?.({ read_all: { ...STRIPE, allow_empty: true } })).toEqual({ read_all: "shop/stripe" })
    expect(store.underCeiling?.({ read_all: "shop/stripe" })).toEqual({ read_all: "shop/stripe" })
  })
})

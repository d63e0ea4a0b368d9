import { describe, expect, it } from "vitest"
import * as z from "zod"
import { BrokerError } from "../../../broker/core/errors.ts"
import { fail, ok } from "../../../broker/core/result.ts"
import { Secret } from "../../../broker/core/secret.ts"
import { fieldOfJson, splitField } from "../../../broker/providers/field.ts"
import { locatorsOf, locatorsOnly, readField, wantedOf } from "../../../broker/providers/read-grant.ts"
import { delivered } from "../../../broker/providers/stored-value.ts"

const read = readField((locator) => (locator.startsWith("bad") ? fail("begins with bad") : ok(locator)))
const grant = z.strictObject({ read })
const side = { name: "The store", connection: "secrets" }
const codeOf = (act: () => unknown) => {
  try {
    act()
  } catch (error) {
    if (error instanceof BrokerError) return `${error.code}: ${error.detail}`
    throw error
  }
  return "no error"
}

describe("what a grant reads", () => {
  it.each<readonly [string, unknown]>([
    ["a locator", { API_KEY: "shop/stripe#api_key" }],
    ["a file", { TLS: { from: "shop/tls", as: "file", mode: "0400" } }],
    ["a file in a variable that names a tool's configuration", { KUBECONFIG: { from: "shop/kube", as: "file" } }],
    ["a credential beside a tool's other variables", { CARGO_REGISTRY_TOKEN: "shop/a", NODE_AUTH_TOKEN: "shop/b" }],
    ["a value that is not secret", { PORT: { from: "shop/port", public: true } }],
    ["a value that may be empty", { NOTE: { from: "shop/note", allow_empty: true } }],
    ["a login of npm", { NPM: { from: "shop/npm", as: "npmrc", host: "npm.example:8443/api/npm" } }],
    ["a login of Docker", { HUB: { from: "shop/hub", as: "docker", host: "docker.io", user: "robot$acme" } }],
    ["a login of git", { GIT: { from: "shop/git", as: "git", host: "git.example", user: "oauth2" } }],
    ["a login in .netrc", { PIP: { from: "shop/pip", as: "netrc", host: "pypi.example", user: "me@acme.example" } }],
    ["a login at a cluster", { CLUSTER: { from: "shop/kube", as: "kubeconfig", server: "https://kube.example:6443" } }],
  ])("may be %s", (_, value) => {
    expect(read.safeParse(value).success).toBe(true)
  })

  it.each<readonly [string, unknown]>([
    ["nothing", {}],
    ["an empty locator", { A: "" }],
    ["a locator that the store refuses", { A: "bad/one" }],
    ["a locator with a line break", { A: "shop/a\nb" }],
    ["a variable that changes what runs", { PATH: "shop/path" }],
    ["a variable that changes what runs, in another case", { Ld_Preload: "shop/path" }],
    ["a value in a variable that names a tool's configuration", { KUBECONFIG: "shop/kube" }],
    ["a value there, with the keys of one", { Kubeconfig: { from: "shop/kube", allow_empty: true } }],
    ["a file in a variable that changes what runs", { BASH_ENV: { from: "shop/a", as: "file" } }],
    ["a name that is no variable", { "A-B": "shop/a" }],
    ["two variables that Windows takes for one", { A: "shop/a", a: "shop/b" }],
    ["a mode without a file", { A: { from: "shop/a", mode: "0600" } }],
    ["a mode for everybody", { A: { from: "shop/a", as: "file", mode: "0644" } }],
    ["a login without what its tool needs", { A: { from: "shop/a", as: "npmrc" } }],
    ["a login with what another tool needs", { A: { from: "shop/a", as: "npmrc", host: "npm.example", user: "me" } }],
    ["a login of an unknown tool", { A: { from: "shop/a", as: "svn", host: "svn.example" } }],
    ["a login at a host that is a URL", { A: { from: "shop/a", as: "npmrc", host: "https://npm.example" } }],
    ["a login that is public", { A: { from: "shop/a", as: "npmrc", host: "npm.example", public: true } }],
    ["a login that may be empty", { A: { from: "shop/a", as: "npmrc", host: "npm.example", allow_empty: true } }],
    ["a login with a mode", { A: { from: "shop/a", as: "npmrc", host: "npm.example", mode: "0600" } }],
    ["a file with a host", { A: { from: "shop/a", as: "file", host: "npm.example" } }],
    ["a value with a server", { A: { from: "shop/a", server: "https://cluster.example" } }],
    ["an unknown key", { A: { from: "shop/a", optional: true } }],
    ["public: false, which says nothing", { A: { from: "shop/a", public: false } }],
    ["allow_empty: false, which says nothing", { A: { from: "shop/a", allow_empty: false } }],
    ["65 variables", Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`V${index}`, "shop/a"]))],
  ])("is never %s", (_, value) => {
    expect(read.safeParse(value).success).toBe(false)
  })

  it("is read in the file's order, with the defaults filled in", () => {
    const parsed = grant.parse({
      read: { B: { from: "x", as: "file" }, A: "y", C: { from: "x", allow_empty: true, public: true } },
    })
    expect(wantedOf(parsed.read)).toEqual([
      { variable: "B", locator: "x", file: { mode: "0600" }, login: null, allowEmpty: false, isPublic: false },
      { variable: "A", locator: "y", file: null, login: null, allowEmpty: false, isPublic: false },
      { variable: "C", locator: "x", file: null, login: null, allowEmpty: true, isPublic: true },
    ])
    expect(locatorsOf(parsed.read)).toEqual(["x", "y"])
  })

  it("is its locators alone for a boundary, however they arrive", () => {
    expect(locatorsOnly({ read: { A: "x", B: { from: "y", as: "file", mode: "0600" } }, role: "r" })).toEqual({
      read: { A: "x", B: "y" },
      role: "r",
    })
    for (const odd of [null, "text", [], {}, { read: "x" }, { read: ["x"] }]) expect(locatorsOnly(odd)).toEqual(odd)
  })
})

describe("a stored value", () => {
  const text = { variable: "V", locator: "shop/v", file: null, login: null, allowEmpty: false, isPublic: false }
  const file = { ...text, file: { mode: "0400" } }
  const bytes = (...values: number[]) => ({ value: new Secret(Uint8Array.from(values)) })
  const said = (value: string) => ({ value: new Secret(value) })
  const shown = ({ value, ...rest }: ReturnType<typeof delivered>) => ({
    ...rest,
    secret: value instanceof Secret,
    value: value instanceof Secret ? value.reveal() : value,
  })

  it("arrives in its variable", () => {
    expect(shown(delivered(side, text, said("a\nb")))).toEqual({ secret: true, value: "a\nb", env: "V" })
    expect(shown(delivered(side, text, bytes(0xc3, 0xa9)))).toEqual({ secret: true, value: "é", env: "V" })
  })

  it("is public where the store says so", () => {
    expect(shown(delivered(side, text, { ...said("eu"), isPublic: true }))).toMatchObject({
      secret: false,
      value: "eu",
    })
  })

  it("arrives as a file, in base64 when it is no text", () => {
    expect(shown(delivered(side, file, said("a\r\nb")))).toMatchObject({ value: "a\r\nb", file: { mode: "0400" } })
    expect(shown(delivered(side, file, bytes(0xff, 0, 1)))).toMatchObject({
      value: "/wAB",
      file: { mode: "0400", encoding: "base64" },
    })
  })

  const npm = { tool: "npmrc", host: "npm.example" } as const
  it("is for its tool alone as a login, also when the store says that it is public", () => {
    for (const isPublic of [false, true])
      expect(shown(delivered(side, { ...text, login: npm }, { ...said("npm_abc"), isPublic }))).toEqual({
        secret: true,
        value: "npm_abc",
        logins: [npm],
      })
  })

  it.each<readonly [string, Parameters<typeof delivered>[2]]>([
    ["a line break", said("npm_abc\n")],
    ["a variable that npm would fill in", said("\u0024{HOME}")],
    ["bytes that are no text", bytes(0xff, 0xfe)],
    ["nothing", said("")],
  ])("is no login with %s", (_, value) => {
    expect(codeOf(() => delivered(side, { ...text, login: npm }, value))).toMatch(
      /^secret_unusable: The store, connection secrets: shop\/v /,
    )
  })

  it.each<readonly [string, Parameters<typeof delivered>[2], RegExp]>([
    ["an empty one", said(""), /is empty/],
    ["a binary one", bytes(0xff, 0xfe), /binary/],
    ["one with a NUL", said("a\0b"), /NUL/],
    ["one with a carriage return", said("a\r\nb"), /carriage return/],
    ["one with half a character", said("\ud800"), /Unicode/],
    ["one of more than 64 KiB", said("x".repeat(64 * 1024 + 1)), /64 KiB/],
  ])("is not handed over when it is %s, and the sentence says why, and not what", (_, value, why) => {
    const fault = codeOf(() => delivered(side, text, value))
    expect(fault).toMatch(/^secret_unusable: The store, connection secrets: shop\/v /)
    expect(fault).toMatch(why)
  })

  it("may be empty where the grant says so, and as long as 64 KiB", () => {
    expect(shown(delivered(side, { ...text, allowEmpty: true, isPublic: false }, said(""))).value).toBe("")
    expect(shown(delivered(side, text, said("x".repeat(64 * 1024)))).value).toHaveLength(64 * 1024)
  })
})

describe("a field of a secret", () => {
  it.each([
    ["shop/stripe#key", "shop/stripe", "key"],
    ["a#b#c", "a#b", "c"],
    ["plain", "plain", null],
    ["shop/stripe#", "shop/stripe", ""],
  ])("of %s stands behind its last #", (locator, place, field) => {
    expect(splitField(locator)).toEqual({ place, field })
  })

  const pick = (json: string, field: string) => fieldOfJson(side, "shop/db#x", field, new Secret(json)).reveal()

  it("is a text, or a number or flag as JSON writes it", () => {
    const json = '{"text":"a","port":5432,"tls":true,"__proto__":"own"}'
    expect(["text", "port", "tls", "__proto__"].map((field) => pick(json, field))).toEqual(["a", "5432", "true", "own"])
  })

  it.each([
    ["not JSON", "canary", "x", /^secret_unusable/],
    ["a list", '["canary"]', "0", /^secret_unusable/],
    ["null", "null", "x", /^secret_unusable/],
    ["an object in the field", '{"x":{"canary":1}}', "x", /^secret_unusable/],
    ["null in the field", '{"x":null}', "x", /^secret_unusable/],
    ["no such field", '{"canary":1}', "x", /^secret_not_found/],
    ["a name that every object has", "{}", "constructor", /^secret_not_found/],
  ])("is refused where there is %s", (_, json, field, code) => {
    const fault = codeOf(() => pick(json, field))
    expect(fault).toMatch(code)
    expect(fault).not.toContain("canary")
  })
})

import { describe, expect, it } from "vitest"
import * as z from "zod"
import { warningsOf } from "../../../analysis/warnings/warnings.ts"
import { whoCan } from "../../../analysis/who-can/who-can.ts"
import { compiled, revived } from "../../../broker/core/policy/compiled.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import { loadPolicySet } from "../../../broker/core/policy/load.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { compilePattern } from "../../../broker/core/policy/pattern.ts"
import { fail, ok } from "../../../broker/core/result.ts"
import { storeProvider, storeSettings } from "../../../broker/providers/store.ts"
import { ISSUER_URL, identityOf } from "./support.ts"

/** A store whose locators are paths: what a grant reads is all that a boundary can be about. */
const PROVIDERS = new Map([
  [
    "shelf",
    storeProvider({
      name: "shelf",
      summary: "secrets from a shelf",
      title: "The shelf",
      connection: z.strictObject({ ...storeSettings }),
      parse: (text) => (/^[a-zX/#_-]+$/.test(text) ? ok(text) : fail("is no path")),
      asks: "job",
      whole: { read: async () => [] },
      read: async () => new Map(),
    }),
  ],
])

const organisationWith = (...entries: readonly object[]) => ({
  ...organisation("unused"),
  boundaries: [
    {
      name: "shop",
      when: { repository: "acme/shop" },
      allow: entries.map((entry) => ({ connection: "shelf", ...entry })),
    },
  ],
})
const organisation = (ceiling: unknown) => ({
  version: 1,
  issuers: { github: { family: "github-actions", url: ISSUER_URL, owners: { acme: "9001" } } },
  connections: { shelf: { provider: "shelf" } },
  boundaries: [{ name: "shop", when: { repository: "acme/shop" }, allow: [{ connection: "shelf", read: ceiling }] }],
})
const policy = (read: unknown) => ({
  version: 1,
  repository: "acme/shop",
  repository_id: "41",
  environment: "production",
  allow: [{ name: "main", when: { ref: "refs/heads/main" }, grants: ["secrets"] }],
  grants: { secrets: { connection: "shelf", read } },
})
const setOf = (ceiling: unknown, read: unknown): PolicySet =>
  setFrom({ "daypass.yaml": organisation(ceiling), "p.yaml": policy(read) })

function setFrom(files: Readonly<Record<string, unknown>>): PolicySet {
  const inputs = Object.entries(files).map(([path, value]) => ({
    path,
    bytes: new TextEncoder().encode(JSON.stringify(value)),
  }))
  const loaded = loadPolicySet(inputs, PROVIDERS)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.fault))
  return loaded.value
}
const job = identityOf({ ref: "refs/heads/main", event_name: "push" })
const outcome = (set: PolicySet) => {
  const policies = set.policiesOf(job)
  return decide({ organisation: set.organisation, policies, identity: job, grants: ["secrets"] }).outcome
}
const file = (from: string) => ({ from, as: "file", mode: "0600" })
const login = (from: string) => ({ from, as: "git", host: "git.example.com", user: "ci" })

/** The decision, from the folder, from its compiled form, and before the merge: all of them must agree. */
function expectDecision(set: PolicySet, expected: "allow" | "deny"): void {
  expect(outcome(set)).toBe(expected)
  expect(outcome(revived(JSON.parse(JSON.stringify(compiled(set))), PROVIDERS)), "compiled").toBe(expected)
  const { containment } = warningsOf({ set, files: [], providers: PROVIDERS })
  expect(
    containment.map(({ inside }) => inside),
    "said before the merge",
  ).toEqual([expected === "allow" ? "proved" : "outside"])
}

describe("a ceiling over what a grant reads", () => {
  it.each<readonly [string, unknown, unknown, "allow" | "deny"]>([
    ["locators below it", "shop/**", { A: "shop/a#b", B: "shop/x/y" }, "allow"],
    ["a file, however it arrives", "shop/**", { A: file("shop/tls#key") }, "allow"],
    [
      "a gap that stays below it",
      "shop/**",
      { A: `shop/\${environment}/a`, B: file(`shop/\${environment}/b`) },
      "allow",
    ],
    ["one locator beside it", "shop/**", { A: "shop/a", B: "bank/a" }, "deny"],
    ["a login, whatever its tool and host", "shop/**", { A: login("shop/git#token") }, "allow"],
    ["a login beside it", "shop/**", { A: login("bank/git#token") }, "deny"],
    ["a login where only its host is listed", ["git", "git.example.com", "ci"], { A: login("shop/a") }, "deny"],
    ["a file beside it", "shop/**", { A: "shop/a", B: file("bank/a") }, "deny"],
    ["a gap that leads out of it", "shop/**", { A: `\${environment}/a` }, "deny"],
    ["the variables that it names", { A: "shop/**", B: "shared/*" }, { B: "shared/a" }, "allow"],
    ["a variable that it does not name", { A: "shop/**" }, { A: "shop/a", B: "shop/b" }, "deny"],
    // The words of the other keys are no locators: a ceiling that lists them lets nothing more through.
    ["a file where only its form is listed", ["file", "0600"], { A: file("shop/a") }, "deny"],
  ])("for %s", (_, ceiling, read, expected) => {
    const set = setOf(ceiling, read)
    expectDecision(set, expected)
  })

  it("is asked after by locator", () => {
    const set = setOf("**", { A: "shop/a#b", B: file("shop/tls#key") })
    const found = (text: string) => {
      const pattern = compilePattern(text)
      if (!pattern.ok) throw new Error("no pattern")
      return whoCan(set, { fields: [{ key: "read", pattern: pattern.value }] }, { providers: PROVIDERS }).rows.length
    }
    expect(["shop/a#b", "shop/tls#key", "shop/**", "bank/**", "file", "0600"].map(found)).toEqual([1, 1, 1, 0, 0, 0])
  })

  it("sees nothing of a grant that another provider would read", () => {
    expect(setOf("shop/**", { A: "shop/a" }).policies[0]?.grants.get("secrets")?.underCeiling).toBeDefined()
  })
})

it("a login that is wrong is told with its line and column", () => {
  const text = JSON.stringify(policy({ A: { from: "shop/a", as: "npmrc", host: "https://npm.example" } }), null, 1)
  const loaded = loadPolicySet(
    [
      { path: "daypass.yaml", bytes: new TextEncoder().encode(JSON.stringify(organisation("shop/**"))) },
      { path: "p.yaml", bytes: new TextEncoder().encode(text) },
    ],
    PROVIDERS,
  )
  const [before = ""] = text.split('"https://npm.example"')
  expect(loaded.ok ? [] : loaded.fault).toMatchObject([
    {
      file: "p.yaml",
      line: before.split("\n").length,
      column: before.length - before.lastIndexOf("\n"),
      message: expect.stringContaining("without https://"),
    },
  ])
})

describe("a ceiling over items that a grant reads as a whole", () => {
  const all = (from: string) => ({ from, prefix: "SHOP_" })
  const grantOf = (fields: object) => ({ ...policy({}), grants: { secrets: { connection: "shelf", ...fields } } })
  const both = { read: { A: "shop/a" }, read_all: all("shop/all") }
  const withLogin = (from: string) => ({ read: { GIT: login(from) }, read_all: all("shop/all") })
  it.each<readonly [string, readonly object[], object, "allow" | "deny"]>([
    ["an item that it names", [{ read_all: "shop/*" }], { read_all: all("shop/all") }, "allow"],
    ["one of several that it names", [{ read_all: ["x/*", "shop/*"] }], { read_all: all("shop/all") }, "allow"],
    ["a folder that it names", [{ read_all: "shop/**" }], { read_all: all("shop/") }, "allow"],
    ["a folder of which it names the items", [{ read_all: "shop/*" }], { read_all: all("shop/") }, "deny"],
    ["an item beside it", [{ read_all: "shop/*" }], { read_all: all("bank/all") }, "deny"],
    ["an item, where it limits locators only", [{ read: "shop/**" }], { read_all: all("shop/all") }, "deny"],
    ["an item, where it limits locators to everything", [{ read: "**" }], { read_all: all("shop/all") }, "deny"],
    ["an item beside a locator that it allows", [{ read: "shop/**" }], both, "deny"],
    ["a locator beside an item that it allows", [{ read_all: "shop/**" }], both, "deny"],
    ["a locator, where it limits items only", [{ read_all: "**" }], { read: { A: "shop/a" } }, "deny"],
    ["both, each in another entry", [{ read: "shop/**" }, { read_all: "shop/**" }], both, "deny"],
    ["both, in one entry", [{ read: "shop/*", read_all: "shop/*" }], both, "allow"],
    ["one, in an entry for both", [{ read: "shop/*", read_all: "shop/*" }], { read: { A: "shop/a" } }, "allow"],
    ["the other, in an entry for both", [{ read: "shop/*", read_all: "shop/*" }], { read_all: all("shop/b") }, "allow"],
    ["both, of which one is outside", [{ read: "shop/*", read_all: "x/*" }], both, "deny"],
    ["a login and an item, in one entry", [{ read: "shop/*", read_all: "shop/*" }], withLogin("shop/git"), "allow"],
    ["a login outside, beside an item inside", [{ read: "shop/*", read_all: "shop/*" }], withLogin("bank/git"), "deny"],
    ["a login, where it limits items only", [{ read_all: "**" }], { read: { GIT: login("shop/git") } }, "deny"],
    ["an item, where it limits logins' locators only", [{ read: "**" }], withLogin("shop/git"), "deny"],
    ["variables that it does not name", [{ read: { A: "shop/*" }, read_all: "shop/*" }], both, "allow"],
    ["everything of a connection", [{}], both, "allow"],
    ["a gap that stays below it", [{ read_all: "shop/**" }], { read_all: all(`shop/\${environment}`) }, "allow"],
    ["a gap that leads out of it", [{ read_all: "shop/**" }], { read_all: all(`\${environment}/all`) }, "deny"],
    // The prefix is no locator: a ceiling that lists it lets nothing more through.
    ["an item where only the prefix is listed", [{ read_all: "SHOP_" }], { read_all: all("shop/all") }, "deny"],
  ])("for %s", (_, entries, fields, expected) => {
    const files = { "daypass.yaml": organisationWith(...entries), "p.yaml": grantOf(fields) }
    expectDecision(setFrom(files), expected)
  })

  it("says which entry is missing", () => {
    const files = { "daypass.yaml": organisationWith({ read: "**" }), "p.yaml": grantOf(both) }
    const set = setFrom(files)
    const { trace } = decide({
      organisation: set.organisation,
      policies: set.policiesOf(job),
      identity: job,
      grants: ["secrets"],
    })
    expect(JSON.stringify(trace)).toContain(
      '{"field":"read_all","expected":"named by the boundary, which limits the stored secrets","actual":"shop/all"}',
    )
  })

  it("is a pattern, not a map: a map would seem to limit the prefix", () => {
    const inputs = [
      { path: "daypass.yaml", value: organisationWith({ read_all: { from: "shop/*", prefix: "SHOP_" } }) },
    ]
    const loaded = loadPolicySet(
      inputs.map(({ path, value }) => ({ path, bytes: new TextEncoder().encode(JSON.stringify(value)) })),
      PROVIDERS,
    )
    expect(loaded.ok ? [] : loaded.fault.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      "type_wrong: read_all is not a map here: its from is compared, so this entry would allow nothing: write a pattern, or a list of patterns.",
    ])
  })

  it("is asked after by what it reads", () => {
    const set = setFrom({ "daypass.yaml": organisationWith({}), "p.yaml": grantOf(both) })
    const found = (key: string, text: string) => {
      const pattern = compilePattern(text)
      if (!pattern.ok) throw new Error("no pattern")
      return whoCan(set, { fields: [{ key, pattern: pattern.value }] }, { providers: PROVIDERS }).rows
    }
    expect(found("read_all", "shop/all")).toHaveLength(1)
    expect(found("read_all", "SHOP_")).toHaveLength(0)
    // Whoever asks for one secret also learns who gets it as a part of a whole.
    for (const part of ["shop/all#key", "shop/all/key", "shop/**", "**#key", "shop/a"])
      expect(found("read", part), part).toHaveLength(1)
    for (const other of ["shop/al#key", "shop/alles", "bank/**"]) expect(found("read", other), other).toHaveLength(0)
    expect(found("read_all", "shop/all")[0]?.resource).toBe("shop/a shop/all/** as SHOP_*")
  })

  it("is asked after by the locator of a login beside it", () => {
    const set = setFrom({ "daypass.yaml": organisationWith({}), "p.yaml": grantOf(withLogin("shop/git#token")) })
    const found = (text: string) => {
      const pattern = compilePattern(text)
      if (!pattern.ok) throw new Error("no pattern")
      return whoCan(set, { fields: [{ key: "read", pattern: pattern.value }] }, { providers: PROVIDERS }).rows
    }
    expect(
      ["shop/git#token", "shop/all#key", "git.example.com", "ci", "git"].map((text) => found(text).length),
    ).toEqual([1, 1, 0, 0, 0])
    expect(found("shop/git#token")[0]?.resource).toBe("shop/git#token shop/all/** as SHOP_*")
  })

  it("takes no gap in the prefix", () => {
    const fields = { read_all: { from: "shop/all", prefix: `\${environment}_` } }
    expect(() => setFrom({ "daypass.yaml": organisationWith({}), "p.yaml": grantOf(fields) })).toThrow(
      /must not have gaps/,
    )
  })
})

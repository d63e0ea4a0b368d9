import { describe, expect, it } from "vitest"
import * as z from "zod"
import { GITHUB_CLAIMS } from "../../../analysis/scopes/github-claims.ts"
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
      parse: (text) => (/^[a-z/#_-]+$/.test(text) ? ok(text) : fail("is no path")),
      asks: "job",
      read: async () => new Map(),
    }),
  ],
])

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
function setOf(ceiling: unknown, read: unknown): PolicySet {
  const files = { "daypass.yaml": organisation(ceiling), "p.yaml": policy(read) }
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
    expect(outcome(set)).toBe(expected)
    expect(outcome(revived(JSON.parse(JSON.stringify(compiled(set))), PROVIDERS)), "compiled").toBe(expected)
    const { containment } = warningsOf({ set, files: [], providers: PROVIDERS, facts: GITHUB_CLAIMS })
    expect(
      containment.map(({ inside }) => inside),
      "said before the merge",
    ).toEqual([expected === "allow" ? "proved" : "outside"])
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

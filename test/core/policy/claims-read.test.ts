import { describe, expect, it } from "vitest"
import type { Claims } from "../../../broker/core/identity.ts"
import { claimsRead, recordedClaims } from "../../../broker/core/policy/claims-read.ts"
import type { Condition } from "../../../broker/core/policy/condition.ts"
import type { Boundary, Policy, Rule } from "../../../broker/core/policy/model.ts"
import { job } from "../job.ts"

const on = (...claims: readonly string[]): readonly Condition[] =>
  claims.map((claim) => ({ claim, test: { kind: "present", present: true } }))
const rule = (kind: Rule["kind"], ...claims: readonly string[]): Rule => ({
  kind,
  name: "a rule",
  file: "p.yaml",
  line: 1,
  grants: "all",
  conditions: on(...claims),
})
const policy = (parts: Partial<Policy>): Policy => ({
  file: "p.yaml",
  issuer: "github",
  unit: "acme/shop",
  target: { kind: "unit", id: "41" },
  origin: "organisation",
  allow: [],
  deny: [],
  grants: new Map(),
  ...parts,
})
const boundary: Boundary = {
  name: "all",
  file: "daypass.yaml",
  line: 1,
  when: on("repository"),
  allow: [],
  require: on("runner_environment"),
}
const template = { raw: {}, claims: ["repository_owner"], schemas: {} }
const filled = { name: "aws", template } as unknown as Policy["grants"] extends ReadonlyMap<string, infer One>
  ? One
  : never

describe("the claims that a decision reads", () => {
  it("are those of rules, of gaps in grants, of boundaries, and those that an allow must name for such a job", () => {
    const policies = [
      policy({ allow: [rule("allow", "ref")], deny: [rule("deny", "actor", "ref")] }),
      policy({ environment: "production", grants: new Map([["aws", filled]]) }),
    ]
    expect([...claimsRead({ boundaries: [boundary] }, policies, job())].sort()).toEqual([
      "actor",
      "ref",
      "repository",
      "repository_owner",
      "runner_environment",
    ])
    const cautions = [
      { fact: "outsider", why: "outsiders can cause it", claim: "event_name", value: "issues" },
    ] as const
    expect([...claimsRead({ boundaries: [] }, [], job({ cautions }))].sort()).toEqual(["event_name", "outsider"])
    const forked = [{ fact: "outsider", why: "it is a fork's" }] as const
    expect([...claimsRead({ boundaries: [] }, [], job({ cautions: forked }))]).toEqual(["outsider"])
  })

  it("are none where no policy covers the job and there is no boundary", () => {
    expect(claimsRead({ boundaries: [] }, [], job()).size).toBe(0)
  })
})

describe("the claims in a record", () => {
  const recorded = (claims: Claims, ...names: readonly string[]) => recordedClaims(new Set(names), job({ claims }))

  it("are only those that are read, as rules compare them", () => {
    const claims = {
      ref: "refs/heads/main",
      email: "somebody@example.com",
      protected: true,
      number: 41,
      zero: -0,
      groups: ["a", 7, false],
    }
    expect(recorded(claims, "ref", "protected", "number", "zero", "groups", "absent")).toEqual({
      claims: { ref: "refs/heads/main", protected: "true", number: "41", zero: "0", groups: ["a", "7", "false"] },
    })
  })

  it("are null where no condition can compare them, or where the text is long; null and missing claims are not there", () => {
    const claims = {
      nested: { a: "b" },
      lists: [["a"]],
      mixed: ["a", { b: "c" }],
      fraction: 1.5,
      none: null,
      long: "x".repeat(513),
    }
    expect(recorded(claims, ...Object.keys(claims), "toString", "__proto__")).toEqual({
      claims: { nested: null, lists: null, mixed: null, fraction: null, long: null },
    })
  })

  it("escape invisible characters in names and values", () => {
    expect(recorded({ "a\u200b": "x\u2028y" }, "a\u200b")).toEqual({ claims: { "a\\u{200b}": "x\\u{2028}y" } })
  })

  it("have 4 KiB, without the longest", () => {
    const claims = {
      ref: "refs/heads/main",
      ...Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`c${at}`, "x".repeat(400 + at)])),
    }
    const { claims: kept = {}, claims_left_out } = recorded(claims, ...Object.keys(claims))
    expect(JSON.stringify(kept).length).toBeLessThanOrEqual(4096)
    expect(
      Object.entries(kept)
        .filter(([, value]) => value === null)
        .map(([name]) => name),
    ).toEqual(["c10", "c11", "c9"])
    expect(claims_left_out).toBeUndefined()
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`${"n".repeat(100)}${at}`, "x"]))
    const cut = recorded(many, ...Object.keys(many))
    expect(JSON.stringify(cut.claims).length).toBeLessThanOrEqual(4096)
    expect(Object.keys(cut.claims ?? {}).length + (cut.claims_left_out ?? 0)).toBe(60)
  })
})

import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { DEFAULT_LIMITS, grantLimitOf, limitsOf } from "../../../broker/core/policy/limits.ts"
import { faultsOf, identityOf, ORGANISATION, policyFaults, policyOf, setOf, shown } from "./support.ts"

/** The organisation file with these entries; the first begins in line 11. */
const organisationWith = (entries: readonly string[]) =>
  entries.length === 0 ? ORGANISATION : `${ORGANISATION}limits:\n${entries.map((one) => `  - ${one}\n`).join("")}`

const JOB = {
  repository: "acme/shop",
  repository_id: "41",
  repository_owner: "acme",
  repository_owner_id: "9001",
}

const limits = (entries: readonly string[], claims: Readonly<Record<string, unknown>> = JOB) =>
  limitsOf(setOf({}, organisationWith(entries)).organisation, identityOf(claims))

describe("the limits of a repository", () => {
  it("are the defaults without entries, and where none matches", () => {
    expect(limits([])).toEqual(DEFAULT_LIMITS)
    expect(limits(["{ when: { repository: acme/other }, open_leases: 1 }"])).toEqual(DEFAULT_LIMITS)
  })

  it("say in which line they are set, and keep the default for what no entry sets", () => {
    expect(limits(["{ when: { repository_owner: acme }, exchanges_per_minute: 60 }"])).toEqual({
      ...DEFAULT_LIMITS,
      exchangesPerMinute: { max: 60, source: "daypass.yaml:12" },
    })
  })

  it("can be higher than the defaults", () => {
    expect(limits(['{ when: { repository: "acme/sh*" }, open_leases: 90000 }']).openLeases.max).toBe(90_000)
  })

  it.each([
    ["{ repository: acme/shop }", true],
    ['{ repository: "*/shop" }', true],
    ['{ repository_id: "41" }', true],
    ["{ repository_owner: [other, acme] }", true],
    ['{ repository_owner_id: "9001", repository: { not: acme/shop } }', false],
    ['{ repository_owner_id: "9001", repository: { not: acme/monorepo } }', true],
    ['{ repository_owner: acme, repository_id: "42" }', false],
  ])("with the condition %s apply to acme/shop: %s", (when, applies) => {
    expect(limits([`{ when: ${when}, denials_per_hour: 7 }`]).denialsPerHour.max === 7).toBe(applies)
  })

  it("are each the lowest of all entries that match, in whatever order they stand", () => {
    const entry = fc.record({
      when: fc.constantFrom("repository: acme/shop", "repository_owner: acme", "repository: acme/other"),
      name: fc.constantFrom("exchanges_per_minute", "open_leases", "denials_per_hour"),
      max: fc.integer({ min: 1, max: 10_000 }),
    })
    const maxima = (entries: readonly string[]) => Object.values(limits(entries)).map(({ max }) => max)
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), fc.nat(), (entries, seed) => {
        const texts = entries.map(({ when, name, max }) => `{ when: { ${when} }, ${name}: ${max} }`)
        const turned = texts.map((_, index) => texts[(index + seed) % texts.length] ?? "")
        const expected = [
          ["exchanges_per_minute", DEFAULT_LIMITS.exchangesPerMinute.max] as const,
          ["open_leases", DEFAULT_LIMITS.openLeases.max] as const,
          ["denials_per_hour", DEFAULT_LIMITS.denialsPerHour.max] as const,
        ].map(([name, byDefault]) => {
          const set = entries.filter((one) => one.name === name && !one.when.includes("other")).map(({ max }) => max)
          return set.length === 0 ? byDefault : Math.min(...set)
        })
        expect(maxima(texts)).toEqual(expected)
        expect(maxima(turned)).toEqual(expected)
      }),
      { numRuns: 100 },
    )
  })
})

describe("an entry of limits", () => {
  it.each<[string, string, string, RegExp]>([
    ["without a condition", "{ open_leases: 1 }", "12:5 key_missing", /"when" is missing/],
    ["with an empty condition", "{ when: {}, open_leases: 1 }", "12:7 value_empty", /which would match nothing/],
    [
      "with a condition that the job chooses",
      "{ when: { ref: refs/heads/main }, open_leases: 1 }",
      "12:15 key_unknown",
      /Known: repository, repository_id, repository_owner, repository_owner_id/,
    ],
    [
      "without a limit",
      "{ when: { repository: a/b } }",
      "12:5 value_invalid",
      /this entry sets no limit: add exchanges_per_minute/,
    ],
    [
      "with the limit zero",
      "{ when: { repository: a/b }, open_leases: 0 }",
      "12:47 value_invalid",
      /must be at least 1: to give a repository nothing, use a deny/,
    ],
    [
      "with no recorded denials at all",
      "{ when: { repository: a/b }, denials_per_hour: 0 }",
      "12:52 value_invalid",
      /must be at least 1: further denials are only counted/,
    ],
    [
      "with a limit that the storage cannot bear",
      "{ when: { repository: a/b }, denials_per_hour: 10001 }",
      "12:52 value_invalid",
      /must be at most 10000/,
    ],
    ["with a fraction", "{ when: { repository: a/b }, open_leases: 1.5 }", "12:47 type_wrong", /whole number/],
    [
      "with a misspelled limit",
      "{ when: { repository: a/b }, open_lease: 1 }",
      "12:34 key_unknown",
      /Did you mean "open_leases"/,
    ],
  ])("%s is refused", (_, entry, place, message) => {
    const faults = faultsOf({ "daypass.yaml": organisationWith([entry]) })
    expect(faults.map(shown)).toEqual([`daypass.yaml:${place}`])
    expect(faults[0]?.message).toMatch(message)
  })
})

describe("max_open_leases of a grant", () => {
  const policy = (grant: string) => policyOf(`grants:\n  note: ${grant}\n`)

  it("is the grant's limit, with the grant's line as its source and its environment in its key", () => {
    const set = setOf({ "p.yaml": policy("{ connection: notes, max_open_leases: 3 }") })
    const grant = set.policies[0]?.grants.get("note")
    if (!grant) throw new Error("the policy has no grant")
    const limit = grantLimitOf(grant, "production")
    expect(limit).toMatchObject({ max: 3, source: "p.yaml:6", grant: "note" })
    expect(limit?.key).not.toBe(grantLimitOf(grant, undefined)?.key)
  })

  it("is no limit when left out", () => {
    const grant = setOf({ "p.yaml": policy("{ connection: notes }") }).policies[0]?.grants.get("note")
    expect(grant && grantLimitOf(grant, "production")).toBeNull()
  })

  it.each([
    ["0", /must be at least 1: to give the grant to no job, use a deny/],
    ["-1", /must be at least 1/],
    ['"3"', /must be a whole number|must be a number/],
    ["2.5", /whole number/],
    ["1000001", /must be at most 1000000/],
  ])("cannot be %s", (value, message) => {
    const faults = policyFaults(policy(`{ connection: notes, max_open_leases: ${value} }`))
    expect(faults).toHaveLength(1)
    expect(faults[0]?.message).toMatch(message)
  })
})

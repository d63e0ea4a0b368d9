import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Coverage, coveragePercent } from "../../../analysis/policy-tests/coverage.ts"
import type { PolicyTest } from "../../../analysis/policy-tests/model.ts"
import { runPolicyTests } from "../../../analysis/policy-tests/run.ts"
import { decide } from "../../../broker/core/policy/decide.ts"
import { identityIn } from "../../../broker/issuers/families.ts"
import { policyOf } from "../../core/policy/support.ts"
import { runs } from "../../support/laws.ts"
import { oneTest, POLICIES, PRODUCTION, readTests, runTests, worldOf } from "./support.ts"

const WORLD = worldOf()

const resultOf = (body: string) => {
  const [result] = runTests(oneTest(body), WORLD).results
  if (!result) throw new Error("there is no result")
  return result
}

describe("a test passes", () => {
  it.each<[string, string]>([
    ["when what it expects is allowed", "expect: allow"],
    ["by the rule that it names", "expect: allow, by: deploy from main"],
    ["by the boundary that it names", "expect: allow, by: the ceiling"],
    ["for the lifetime that it names", "expect: allow, ttl_granted: 15m"],
    ["for less when it asks for less", "ttl: 2m, expect: allow, ttl_granted: 2m"],
    ["when what it expects is denied", "claims: { ref: refs/heads/x }, expect: deny, code: not_allowed"],
    [
      "denied by the rule that it names",
      "claims: { runner_environment: self-hosted }, expect: deny, by: not on our own runners",
    ],
    ["denied by the ceiling that it names", "claims: { repository_visibility: public }, expect: deny, by: the ceiling"],
    ["denied for want of a key", "grants: [keyed], bound: false, expect: deny, code: bound_token_required"],
    ["allowed with a key", "grants: [keyed], expect: allow, by: keyed"],
    ["allowed without a key where none is wanted", "bound: false, expect: allow"],
    ["denied as outsiders' events are", "sample: github-pull-request, expect: deny"],
    [
      "allowed for an outsiders' event that is named",
      "sample: github-pull-request-target, claims: { environment: production }, expect: allow",
    ],
    [
      "denied all when one of several grants is",
      'grants: [note, other], claims: { run_attempt: "2" }, expect: deny, by: no reruns',
    ],
    ["denied in another environment", "claims: { environment: preview }, expect: deny"],
    ["denied to strangers", 'claims: { repository_id: "41", repository_owner_id: "1" }, expect: deny'],
    ["for a repository that a pattern admits", "claims: { repository: acme/svc-mail }, expect: allow, by: services"],
    [
      "denied while nobody says how the environment is protected",
      "claims: { environment: staging }, expect: deny, by: guarded staging",
    ],
    [
      "denied to an environment that lacks protection",
      "claims: { environment: staging }, environment_protection: { required_reviewers: false }, expect: deny",
    ],
    [
      "allowed to one that has it",
      "claims: { environment: staging }, environment_protection: { required_reviewers: true }, expect: allow",
    ],
    [
      "denied to a token of an issuer that is not listed",
      "claims: { iss: 'https://token.actions.githubusercontent.com/' }, expect: deny, code: token_issuer_unknown",
    ],
    [
      "denied to a token whose claims disagree",
      "claims: { repository_owner: evil }, expect: deny, code: token_claims_invalid",
    ],
    ["denied to a token that lacks what all have", "without: [run_id], expect: deny, code: token_claims_invalid"],
  ])("%s", (_, body) => {
    expect(resultOf(body)).toMatchObject({ passed: true, failures: [] })
  })
})

it("a test says who approved the run, for a grant with break_glass", () => {
  const demand = "protected_environment: { required_reviewers: true, prevent_self_review: true }"
  const emergency = policyOf(
    `${demand}\nallow:\n  - { name: staging, grants: [note] }\ngrants:\n  note: { connection: notes, break_glass: { reason: required } }\n`,
    { environment: "staging" },
  )
  const world = worldOf({ ...POLICIES, "staging.yaml": emergency })
  const ask = (said: string, expected: string) => {
    const body = `claims: { environment: staging }, environment_protection: { required_reviewers: true, prevent_self_review: true }, ${said}expect: ${expected}`
    return runTests(oneTest(body), world).results[0]
  }
  expect(ask('approvals: [{ id: "7", comment: it burns }], ', "allow")).toMatchObject({ passed: true })
  expect(ask('approvals: [{ id: "7" }], ', "deny")).toMatchObject({ passed: true })
  expect(ask("approvals: [], ", "deny")).toMatchObject({ passed: true })
  const unsaid = ask("", "allow")
  expect(unsaid).toMatchObject({ passed: false })
  expect(JSON.stringify(unsaid)).toContain("say in the test who approved it: add approvals")
})

describe("a test fails", () => {
  it.each<[string, string, string]>([
    ["when what should be denied is allowed", "expect: deny", "Expected deny, but the job is allowed."],
    [
      "when what should be allowed is denied",
      "claims: { ref: refs/heads/x }, expect: allow",
      "Expected allow, but the job is denied (not_allowed).",
    ],
    [
      "when another rule is why",
      "claims: { ref: refs/heads/x }, expect: deny, by: not on our own runners",
      'Expected the decision by "not on our own runners", but no rule or boundary decided.',
    ],
    [
      "when an allow is not what allowed",
      "expect: allow, by: keyed",
      'Expected the decision by "keyed", but it was decided by "deploy from main" and "the ceiling".',
    ],
    [
      "when a denial has another code",
      "expect: deny, code: ttl_too_short, claims: { ref: x }",
      "Expected the code ttl_too_short, but the code is not_allowed.",
    ],
    [
      "when a grant lives for another time",
      "grants: [note, other], expect: allow, ttl_granted: 15m",
      "Expected other for 15m, but the lifetime is 10m.",
    ],
    [
      "when a denial is one of a token that does not exist",
      "claims: { repository_owner: evil }, expect: deny",
      "The broker refuses such a token before it reads any policy. Correct the claims, or expect this with code: token_claims_invalid.",
    ],
  ])("%s", (_, body, failure) => {
    const { passed, failures } = resultOf(body)
    expect([passed, failures]).toEqual([false, [failure]])
  })

  it("with the reasons that the broker's own trace gives", () => {
    const { decided } = resultOf("claims: { ref: refs/heads/x }, expect: allow")
    expect(decided.reasons).toEqual([
      'note: The allow rule "deploy from main" (production.yaml:6) does not match: ref must be refs/heads/main, but is refs/heads/x.',
    ])
    expect(decided.trace?.grants[0]?.rules).toHaveLength(2)
  })
})

describe("coverage", () => {
  const shown = ({ rules, grants }: Coverage) => [
    ...rules
      .filter(({ exercised }) => exercised)
      .map(({ kind, name, file, line }) => `${kind} ${name} ${file}:${line}`),
    ...grants.filter(({ granted }) => granted).map(({ name, file, line }) => `grant ${name} ${file}:${line}`),
  ]
  const coverageOf = (...bodies: string[]) => {
    const tests = bodies.map((body, index) => `  - { name: t${index}, ${body} }\n`).join("")
    return runTests(oneTest("expect: allow").replace(/ {2}- .*\n/, tests), WORLD).coverage
  }

  it.each<[string, string, readonly string[]]>([
    [
      "an allow through which a job got something, and the grant",
      "expect: allow",
      ["allow deploy from main production.yaml:6", "grant note production.yaml:19"],
    ],
    [
      "a deny that refused something",
      "claims: { runner_environment: self-hosted }, expect: deny",
      ["deny not on our own runners production.yaml:13"],
    ],
    [
      "a grant of a pattern's policy",
      "claims: { repository: acme/svc-a }, expect: allow",
      ["allow services services.yaml:5", "grant note services.yaml:9"],
    ],
    ["nothing by a refusal that no rule is the reason of", "claims: { ref: refs/heads/x }, expect: deny", []],
    ["nothing by a test that fails", "expect: deny", []],
    ["nothing by a job that lacks a key", "grants: [keyed], bound: false, expect: deny", []],
    [
      "nothing by a token that is none",
      "claims: { repository_owner: evil }, expect: deny, code: token_claims_invalid",
      [],
    ],
    [
      "no deny by a grant that nobody offers there",
      "claims: { environment: staging, runner_environment: self-hosted }, grants: [keyed], expect: deny",
      [],
    ],
  ])("counts %s", (_, body, expected) => {
    expect(shown(coverageOf(body))).toEqual(expected)
  })

  it("lists what no test has exercised, with its place", () => {
    const { rules, grants } = coverageOf("expect: allow")
    expect(rules.filter(({ exercised }) => !exercised).map(({ name, line }) => `${name}:${line}`)).toEqual([
      "keyed:9",
      "not on our own runners:13",
      "no reruns:15",
      "services:5",
      "staging:6",
    ])
    expect(grants.filter(({ granted }) => !granted)).toHaveLength(5)
    expect(coveragePercent({ rules, grants })).toBe(16)
  })

  it("is 100 percent only when nothing is missing, and when there is nothing", () => {
    const rule = { kind: "allow", name: "a", file: "f", line: 1 } as const
    const rules = Array.from({ length: 300 }, (_, index) => ({ ...rule, exercised: index > 0 }))
    expect(coveragePercent({ rules, grants: [] })).toBe(99)
    expect(coveragePercent({ rules: [], grants: [] })).toBe(100)
  })
})

/** A job as a test writes it, any of many. */
const job = fc.record({
  sample: fc.constantFrom("github-branch", "github-environment", "github-pull-request", "github-pull-request-target"),
  repository: fc.constantFrom("acme/shop", "acme/svc-mail"),
  environment: fc.constantFrom(null, "production", "staging"),
  ref: fc.constantFrom(null, "refs/heads/main", "refs/heads/x"),
  runner: fc.constantFrom("github-hosted", "self-hosted"),
  attempt: fc.constantFrom("1", "2"),
  visibility: fc.constantFrom("private", "public"),
  grants: fc.uniqueArray(fc.constantFrom("note", "other", "keyed", "outside"), { minLength: 1 }),
  bound: fc.boolean(),
  reviewers: fc.boolean(),
})

type Job = typeof job extends fc.Arbitrary<infer One> ? One : never

function bodyOf(one: Job, expected: "allow" | "deny"): string {
  const claims = [
    `repository: ${one.repository}`,
    ...(one.environment === null ? [] : [`environment: ${one.environment}`]),
    ...(one.ref === null ? [] : [`ref: ${one.ref}`]),
    `runner_environment: ${one.runner}`,
    `run_attempt: "${one.attempt}"`,
    `repository_visibility: ${one.visibility}`,
  ]
  return `sample: ${one.sample}, claims: { ${claims.join(", ")} }, grants: [${one.grants.join(", ")}], bound: ${one.bound}, environment_protection: { required_reviewers: ${one.reviewers} }, expect: ${expected}`
}

describe("the runner", () => {
  it("decides as the broker does", () => {
    fc.assert(
      fc.property(job, (one) => {
        const { decided, test } = resultOf(bodyOf(one, "allow"))
        const issuer = WORLD.organisation.issuers.get("github")
        const identity = issuer && identityIn(test.claims, issuer)
        if (!identity?.ok) throw new Error("the claims make no identity")
        const decision = decide({
          organisation: WORLD.organisation,
          policies: WORLD.policies,
          identity: identity.value,
          grants: one.grants,
          protection: test.protection,
        })
        expect(decided.trace).toEqual(decision.trace)
        const refused = decision.outcome === "deny" || (decision.requireBoundToken && !one.bound)
        expect(decided.outcome).toBe(refused ? "deny" : "allow")
      }),
      { numRuns: runs(1000) },
    )
  })

  it("never lets a test and its opposite both pass, nor both fail", () => {
    fc.assert(
      fc.property(job, (one) => {
        expect(resultOf(bodyOf(one, "allow")).passed).toBe(!resultOf(bodyOf(one, "deny")).passed)
      }),
      { numRuns: runs(1000) },
    )
  })

  it("exercises no less with more tests, and the same in any order", () => {
    const many = fc.array(fc.tuple(job, fc.constantFrom("allow" as const, "deny" as const)), { maxLength: 6 })
    const testsOf = (some: readonly (readonly [Job, "allow" | "deny"])[]): readonly PolicyTest[] =>
      some.flatMap(([one, expected]) => {
        const read = readTests(oneTest(bodyOf(one, expected)), WORLD)
        return read.ok ? read.value : []
      })
    const exercised = (tests: readonly PolicyTest[]) =>
      runPolicyTests(WORLD, tests, identityIn).coverage.rules.flatMap((rule, index) => (rule.exercised ? [index] : []))
    fc.assert(
      fc.property(many, many, (some, more) => {
        const [few, others] = [testsOf(some), testsOf(more)]
        const all = exercised([...few, ...others])
        expect(all).toEqual(expect.arrayContaining(exercised(few)))
        expect(exercised([...others, ...few])).toEqual(all)
      }),
      { numRuns: runs(200) },
    )
  })
})

describe("tests that exercise every rule", () => {
  const SUITE = `version: 1
defaults:
  sample: github-environment
  claims: { repository: acme/shop, repository_id: "41", repository_owner_id: "9001" }
  grants: [note]
tests:
  - { name: a, expect: allow }
  - { name: b, grants: [keyed], expect: allow }
  - { name: c, claims: { runner_environment: self-hosted }, expect: deny }
  - { name: d, grants: [other], claims: { run_attempt: "2" }, expect: deny }
`

  it("pass", () => {
    const { results, coverage } = runTests(SUITE, WORLD)
    expect(results.every(({ passed }) => passed)).toBe(true)
    expect(coverage.rules.filter(({ file, exercised }) => file === "production.yaml" && !exercised)).toEqual([])
  })

  // Each mutant is the policy with one rule gone or turned around.
  it.each<[string, string, string]>([
    ["the first allow", "refs/heads/main, event_name: [push, pull_request_target]", "refs/heads/never"],
    ["the second allow", "when: { ref: refs/heads/main }\n", "when: { ref: refs/heads/never }\n"],
    ["the first deny", "{ not: github-hosted }", "never"],
    ["the second deny", '{ not: "1" }', "never"],
  ])("fail when %s no longer works", (_, from, to) => {
    const mutant = PRODUCTION.replace(from, to)
    expect(mutant).not.toBe(PRODUCTION)
    const { results } = runTests(SUITE, worldOf({ ...POLICIES, "production.yaml": mutant }))
    expect(results.some(({ passed }) => !passed)).toBe(true)
  })
})

import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Claims } from "../../../broker/core/identity.ts"
import { type Decision, decide } from "../../../broker/core/policy/decide.ts"
import type { Policy, Rule } from "../../../broker/core/policy/model.ts"
import { fewest, runs } from "../../support/laws.ts"
import { identityOf, load, ORGANISATION, setOf } from "./support.ts"

// The invariants of the engine, over policies and jobs that a small alphabet makes collide all the time.

const RUNS = { numRuns: runs(1000) }
const CLAIMS = ["ref", "event_name", "actor", "x"]
const VALUES = ["a", "b", "a/b", "push", "pull_request", "workflow_run"]
const GRANTS = ["note", "secret"]

const pattern = fc.constantFrom(...VALUES, "*", "**", "a*", "a/*", "pull_*")
const patterns = fc.oneof(pattern, fc.uniqueArray(pattern, { minLength: 1, maxLength: 3 }))
/** Tests of a claim's value. `present` asks for absence itself, so laws about deleting claims leave it out. */
const valueTest = fc.oneof({ weight: 3, arbitrary: patterns }, fc.record({ not: patterns }))
const anyTest = fc.oneof({ weight: 4, arbitrary: valueTest }, fc.record({ present: fc.boolean() }))

type Test = string | string[] | { not: string | string[] } | { present: boolean }
interface RuleText {
  readonly when: Record<string, Test>
  readonly grants?: string[]
}

const whenOf = (test: fc.Arbitrary<Test>) => fc.dictionary(fc.constantFrom(...CLAIMS), test, { minKeys: 1, maxKeys: 3 })
const grantList = fc.uniqueArray(fc.constantFrom(...GRANTS), { minLength: 1 })
const allowOf = (test: fc.Arbitrary<Test>) => fc.record({ when: whenOf(test), grants: grantList })
const denyOf = (test: fc.Arbitrary<Test>) =>
  fc.record({ when: whenOf(test), grants: grantList }, { requiredKeys: ["when"] })
const rulesOf = (test: fc.Arbitrary<Test>) =>
  fc.record({
    allow: fc.array(allowOf(test), { minLength: 1, maxLength: 4 }),
    deny: fc.array(denyOf(test), { maxLength: 2 }),
  })

const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...VALUES) },
  fc.constantFrom(true, 1, 1.5, null, "", {}, [], ["a", "b"], ["a", {}], [["a"]]),
)
const job = fc
  .dictionary(fc.constantFrom(...CLAIMS), value, { noNullPrototype: false })
  .map((claims) => identityOf({ ref: undefined, event_name: undefined, actor: undefined, ...claims }))

const asked = fc.uniqueArray(fc.constantFrom(...GRANTS), { minLength: 1 })

function textOf({ allow, deny }: { allow: RuleText[]; deny: RuleText[] }): string {
  // JSON is YAML: what is generated needs no writer of ours.
  const named = (kind: string) => (rule: RuleText, index: number) => ({ name: `${kind} ${index}`, ...rule })
  return JSON.stringify({
    version: 1,
    repository: "acme/shop",
    repository_id: "41",
    environment: "production",
    allow: allow.map(named("allow")),
    ...(deny.length === 0 ? {} : { deny: deny.map(named("deny")) }),
    grants: {
      note: { connection: "notes" },
      secret: { connection: "vault-prod", path: "kv", ttl: "20m" },
    },
  })
}

type Rules = Parameters<typeof textOf>[0]

const policiesOf = (...files: Rules[]): readonly Policy[] =>
  setOf(Object.fromEntries(files.map((rules, index) => [`${index}.yaml`, textOf(rules)]))).policies

const { organisation } = setOf({})

function ask(
  policies: readonly Policy[],
  identity: ReturnType<typeof identityOf>,
  grants: readonly string[],
  ttlSeconds?: number,
): Decision {
  return decide({ organisation, policies, identity, grants, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) })
}

describe("whatever the policy and the job", () => {
  it("a job without a matching allow gets nothing", () => {
    fc.assert(
      fc.property(rulesOf(anyTest), job, asked, (rules, identity, grants) => {
        const policies = policiesOf(rules).map((policy) => ({ ...policy, allow: [] }))
        expect(ask(policies, identity, grants).outcome).toBe("deny")
        expect(ask([], identity, grants).outcome).toBe("deny")
      }),
      RUNS,
    )
  })

  it("deleting a claim never turns deny into allow", () => {
    let flips = 0
    fc.assert(
      fc.property(rulesOf(valueTest), job, asked, fc.constantFrom(...CLAIMS), (rules, identity, grants, name) => {
        const policies = policiesOf(rules)
        const before = ask(policies, identity, grants).outcome
        const { [name]: _, ...fewer } = identity.claims
        const after = ask(policies, { ...identity, claims: fewer as Claims }, grants).outcome
        if (before === "allow" && after === "deny") flips++
        expect(before === "deny" && after === "allow").toBe(false)
      }),
      { numRuns: runs(3000) },
    )
    // The generator would prove nothing if nothing were ever allowed.
    expect(flips).toBeGreaterThanOrEqual(fewest(150, 3000))
  })

  it("adding a deny never grants more", () => {
    fc.assert(
      fc.property(rulesOf(anyTest), denyOf(anyTest), job, asked, (rules, extra, identity, grants) => {
        const before = ask(policiesOf(rules), identity, grants).outcome
        const after = ask(policiesOf({ ...rules, deny: [...rules.deny, extra] }), identity, grants).outcome
        expect(before === "deny" && after === "allow").toBe(false)
      }),
      RUNS,
    )
  })

  it("adding a condition to an allow never grants more", () => {
    fc.assert(
      fc.property(
        rulesOf(anyTest),
        fc.nat(),
        fc.constantFrom("y", "z"),
        anyTest,
        job,
        asked,
        (rules, at, claim, test, identity, grants) => {
          const index = at % rules.allow.length
          const allow = rules.allow.map((rule, i) =>
            i === index ? { ...rule, when: { ...rule.when, [claim]: test } } : rule,
          )
          const before = ask(policiesOf(rules), identity, grants).outcome
          const after = ask(policiesOf({ ...rules, allow }), identity, grants).outcome
          expect(before === "deny" && after === "allow").toBe(false)
        },
      ),
      RUNS,
    )
  })

  it("the order of files, rules, conditions and grants never matters", () => {
    const reversed = (rule: Rule): Rule => ({ ...rule, conditions: rule.conditions.toReversed() })
    fc.assert(
      fc.property(rulesOf(anyTest), job, asked, (rules, identity, grants) => {
        const policies = policiesOf(rules)
        const turned = policies.toReversed().map((policy) => ({
          ...policy,
          allow: policy.allow.toReversed().map(reversed),
          deny: policy.deny.toReversed().map(reversed),
          grants: new Map([...policy.grants].reverse()),
        }))
        const [one, other] = [ask(policies, identity, grants), ask(turned, identity, grants.toReversed())]
        expect(other.outcome).toBe(one.outcome)
        const given = (decision: Decision) =>
          decision.outcome === "allow"
            ? decision.grants.map(({ grant, ttlSeconds }) => `${grant.name} ${ttlSeconds}`).sort()
            : decision.code
        expect(given(other)).toEqual(given(one))
      }),
      RUNS,
    )
  })

  it("a lifetime is above zero and at most what was asked, offered, and can be minted", () => {
    const seconds = fc.oneof(fc.integer({ min: -10, max: 5000 }), fc.double(), fc.constantFrom(Number.NaN, Infinity))
    fc.assert(
      fc.property(rulesOf(anyTest), job, asked, seconds, (rules, identity, grants, ttlSeconds) => {
        const decision = ask(policiesOf(rules), identity, grants, ttlSeconds)
        if (decision.outcome === "deny") return
        for (const { grant, ttlSeconds: given } of decision.grants) {
          expect(given > 0 && given <= ttlSeconds && given <= grant.ttlSeconds && given >= grant.minTtlSeconds).toBe(
            true,
          )
          expect(given).toBeLessThanOrEqual(grant.name === "secret" ? 1200 : 900)
        }
      }),
      RUNS,
    )
  })

  it("what is given is what was asked for and defined, never anything else", () => {
    const name = fc.oneof(
      fc.constantFrom(...GRANTS),
      fc.string({ maxLength: 8 }),
      fc.constantFrom("__proto__", "constructor"),
    )
    fc.assert(
      fc.property(rulesOf(anyTest), job, fc.array(name, { maxLength: 4 }), (rules, identity, grants) => {
        const decision = ask(policiesOf(rules), identity, grants)
        expect(decision.trace.grants.map((grant) => grant.name)).toEqual([...new Set(grants)])
        if (decision.outcome === "deny") return
        expect(decision.grants.map(({ grant }) => grant.name)).toEqual([...new Set(grants)])
        expect(grants.every((asked) => GRANTS.includes(asked))).toBe(true)
      }),
      RUNS,
    )
  })

  it("another repository, owner or issuer gets nothing of it", () => {
    const stranger = fc.constantFrom(
      { unitId: "42" },
      { ownerId: "1" },
      { issuer: "x" },
      { issuerUrl: "https://x.example" },
      { environment: "x" },
    )
    fc.assert(
      fc.property(rulesOf(anyTest), job, asked, stranger, (rules, identity, grants, other) => {
        expect(ask(policiesOf(rules), { ...identity, ...other }, grants).outcome).toBe("deny")
      }),
      RUNS,
    )
  })
})

describe("the loader", () => {
  it("loads or refuses any bytes as a policy and as an organisation file, and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(load({ "daypass.yaml": ORGANISATION, "p.yaml": bytes }).ok).toBe(false)
        expect(load({ "daypass.yaml": bytes }).ok).toBe(false)
      }),
      RUNS,
    )
  })

  it("loads or refuses any document, and never throws", () => {
    const key = fc.constantFrom(
      "version",
      "issuers",
      "github",
      "connections",
      "allow",
      "deny",
      "grants",
      "when",
      "name",
      "not",
      "present",
      "ttl",
      "connection",
      "provider",
      "environment",
      "repository_id",
      "repository",
      "constructor",
    )
    const { document } = fc.letrec((tie) => ({
      document: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(1, "1", "15m", true, null, "note", "notes", "github", "", [], {}),
        fc.dictionary(key, tie("document"), { maxKeys: 6, noNullPrototype: true }),
        fc.array(tie("document"), { maxLength: 3 }),
      ),
    }))
    fc.assert(
      fc.property(document, (value) => {
        const text = JSON.stringify(value)
        const loaded = load({ "daypass.yaml": ORGANISATION, "p.yaml": text })
        expect(loaded.ok).toBe(false)
        load({ "daypass.yaml": text })
      }),
      { numRuns: runs(2000) },
    )
  })

  it("gives the same version to the same files in any order, and another to any other", () => {
    const files = fc.dictionary(
      fc.stringMatching(/^[a-c]{1,3}\.yaml$/),
      rulesOf(anyTest).map((rules) => JSON.stringify(rules)),
      { maxKeys: 3 },
    )
    fc.assert(
      fc.property(files, (comments) => {
        const good = Object.fromEntries(
          Object.keys(comments).map((name, index) => [
            name,
            textOf({ allow: [{ when: { ref: "a" }, grants: ["note"] }], deny: [] }).replace('"41"', `"${index + 1}"`),
          ]),
        )
        const version = setOf(good).version
        expect(setOf(Object.fromEntries(Object.entries(good).reverse())).version).toBe(version)
        expect(setOf(good, `${ORGANISATION}# more\n`).version).not.toBe(version)
      }),
      { numRuns: runs(200) },
    )
  })
})

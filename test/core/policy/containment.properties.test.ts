import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Claims } from "../../../broker/core/identity.ts"
import { compiled, revived } from "../../../broker/core/policy/compiled.ts"
import { type Decision, decide } from "../../../broker/core/policy/decide.ts"
import type { EnvironmentDemand } from "../../../broker/core/policy/environment-protection.ts"
import { policySet } from "../../../broker/core/policy/policy-set.ts"
import { fewest, runs } from "../../support/laws.ts"
import {
  type BoundaryText,
  boundary,
  CLAIMS,
  denyRule,
  type EntryText,
  inputOf,
  isPatterns,
  jobCondition,
  PROVIDERS,
  type World,
  worldOf,
} from "./ceiling-worlds.ts"
import { isAbout, isInForce, naiveAllows, naiveGrant } from "./naive-ceiling.ts"

// The organisation's ceiling as laws: whatever policies say, nothing outside it is granted, and nothing that narrows it or a
// policy ever grants more. Ten thousand cases each when deep, in every runtime.

const CASES = 10_000
const RUNS = { numRuns: runs(CASES) }

const anyWorld = worldOf({ presence: true })
const plainWorld = worldOf({ presence: false })

const ask = (world: World): Decision => decide(inputOf(world))

/** What a decision gives, whatever its order: nothing for a denial. */
const givenBy = (decision: Decision) =>
  decision.outcome === "deny"
    ? []
    : decision.grants
        .map(({ grant, ttlSeconds }) => JSON.stringify([grant.name, grant.connection.name, grant.fields, ttlSeconds]))
        .sort()

/** The second gives nothing that the first does not, and nothing for longer. */
function expectNoMore(after: Decision, before: Decision): void {
  if (after.outcome === "deny") return
  if (before.outcome === "deny") throw new Error("grants what was denied before")
  for (const [index, { grant, ttlSeconds }] of after.grants.entries()) {
    const earlier = before.grants[index]
    expect(grant).toEqual(earlier?.grant)
    expect(ttlSeconds).toBeLessThanOrEqual(earlier?.ttlSeconds ?? 0)
  }
}

/** Counts both outcomes: a law over worlds where nothing is ever granted, or nothing ever refused, would say nothing. */
function counter() {
  const seen = { allow: 0, deny: 0 }
  return {
    count: (decision: Decision) => {
      seen[decision.outcome]++
      return decision
    },
    expectBoth: () => {
      expect(seen.allow).toBeGreaterThanOrEqual(fewest(350, CASES))
      expect(seen.deny).toBeGreaterThanOrEqual(fewest(6_000, CASES))
    },
  }
}

const without = <Value>(values: readonly Value[], index: number) => values.filter((_, i) => i !== index % values.length)
const replaced = <Value>(values: readonly Value[], index: number, change: (value: Value) => Value) =>
  values.map((value, i) => (i === index % values.length ? change(value) : value))

describe("whatever policies say", () => {
  it("what is granted is what the rules read literally grant, and nothing else is refused", () => {
    const both = counter()
    let ceilings = 0
    let gaps = 0
    fc.assert(
      fc.property(anyWorld, (world) => {
        const decision = both.count(ask(world))
        const wanted = world.asked.map((name) => [name, naiveGrant(world, name)] as const)
        expect(decision.outcome).toBe(wanted.every(([, grant]) => grant !== null) ? "allow" : "deny")
        expect(decision.trace.grants.map(({ outcome }) => outcome)).toEqual(
          wanted.map(([, grant]) => (grant === null ? "deny" : "allow")),
        )
        if (decision.outcome === "deny") return
        const given = decision.grants.map(({ grant, ttlSeconds }) => {
          expect(grant).not.toHaveProperty("template")
          return [grant.name, grant.connection.name, grant.fields, ttlSeconds]
        })
        expect(given).toEqual(wanted.map(([name, grant]) => [name, grant?.connection, grant?.fields, grant?.ttl]))
        if (world.boundaries.some((one) => isAbout(one, world))) ceilings++
        if (JSON.stringify(world.policies).includes("${")) gaps++
      }),
      RUNS,
    )
    both.expectBoth()
    expect(ceilings).toBeGreaterThanOrEqual(fewest(200, CASES))
    expect(gaps).toBeGreaterThanOrEqual(fewest(400, CASES))
  })

  it("everything granted is inside the ceiling: allowed by one boundary, within every other's requirements and limits", () => {
    const both = counter()
    fc.assert(
      fc.property(anyWorld, (world) => {
        const decision = both.count(ask(world))
        if (decision.outcome === "deny") return
        const over = world.boundaries.filter((one) => isAbout(one, world))
        const inForce = world.boundaries.filter((one) => isInForce(one, world))
        for (const { grant, ttlSeconds } of decision.grants) {
          const { connection, fields } = grant
          const held = { connection: connection.name, fields }
          if (over.length > 0) expect(over.some((one) => naiveAllows(one, held, world.identity))).toBe(true)
          for (const { maxTtl } of inForce) expect(ttlSeconds).toBeLessThanOrEqual(maxTtl ?? Infinity)
          for (const { demand } of inForce) expect(demand === undefined || world.fact?.known === true).toBe(true)
        }
      }),
      RUNS,
    )
    both.expectBoth()
  })

  it("what repositories keep for themselves gives nothing, and refuses nothing, where no boundary is about them", () => {
    let inert = 0
    fc.assert(
      fc.property(anyWorld, (world) => {
        const before = ask(world)
        if (world.boundaries.some((one) => isAbout(one, world))) return
        inert++
        const policies = world.policies.filter(({ origin }) => origin === "organisation")
        expect(givenBy(before)).toEqual(givenBy(ask({ ...world, policies })))
        const kept = world.policies.map((policy) => ({ ...policy, origin: "repository" as const }))
        expect(ask({ ...world, policies: kept }).outcome).toBe("deny")
        expect(ask({ ...world, policies: kept, boundaries: [] }).outcome).toBe("deny")
      }),
      RUNS,
    )
    expect(inert).toBeGreaterThanOrEqual(fewest(3_000, CASES))
  })
})

describe("no more is granted", () => {
  /** A law of one change: how a world is narrowed, by whatever else is drawn. Null where there is nothing to narrow. */
  function narrows<More>(more: fc.Arbitrary<More>, change: (world: World, more: More) => World | null): void {
    const both = counter()
    let taken = 0
    fc.assert(
      fc.property(anyWorld, more, (world, drawn) => {
        const narrower = change(world, drawn)
        if (narrower === null) return
        const before = both.count(ask(world))
        const after = ask(narrower)
        if (before.outcome !== after.outcome) taken++
        expectNoMore(after, before)
      }),
      RUNS,
    )
    both.expectBoth()
    // The change must bite now and then, or the law would hold of doing nothing.
    expect(taken).toBeGreaterThanOrEqual(fewest(30, CASES))
  }

  const which = fc.nat({ max: 11 })
  const onBoundary = (world: World, index: number, change: (boundary: BoundaryText) => BoundaryText): World | null =>
    world.boundaries.length === 0 ? null : { ...world, boundaries: replaced(world.boundaries, index, change) }
  const onEntry = (world: World, index: number, change: (entry: EntryText) => EntryText): World | null =>
    onBoundary(world, index, (one) => ({ ...one, allow: replaced(one.allow, index, change) }))

  it("by one more deny, whoever wrote it", () =>
    narrows(fc.tuple(which, denyRule), (world, [index, rule]) => ({
      ...world,
      policies: replaced(world.policies, index, (policy) => ({ ...policy, deny: [...policy.deny, rule] })),
    })))

  it("by one more condition in an allow", () =>
    narrows(fc.tuple(which, jobCondition), (world, [index, [claim, test]]) => {
      // The one condition that opens: it names an event that outsiders can cause, which nothing else does.
      if (claim === "event_name" && "any" in test && test.any.includes("pull_request_target")) return null
      const policies = replaced(world.policies, index, (policy) => ({
        ...policy,
        allow: replaced(policy.allow, index, (rule) => ({ ...rule, when: { [claim]: test, ...rule.when } })),
      }))
      return { ...world, policies }
    }))

  it("by one more requirement of a boundary", () =>
    narrows(fc.tuple(which, jobCondition), (world, [index, [claim, test]]) =>
      onBoundary(world, index, (one) => ({ ...one, require: { [claim]: test, ...one.require } })),
    ))

  it("by a protected environment demanded where none was", () => {
    const demand: EnvironmentDemand = { requiredReviewers: true, preventSelfReview: false }
    narrows(fc.tuple(which, fc.boolean()), (world, [index, byPolicy]) =>
      byPolicy
        ? { ...world, policies: replaced(world.policies, index, (one) => ({ ...one, demand: one.demand ?? demand })) }
        : onBoundary(world, index, (one) => ({ ...one, demand: one.demand ?? demand })),
    )
  })

  it("by a lower limit on lifetimes", () =>
    narrows(fc.tuple(which, fc.constantFrom(1, 60, 61, 500)), (world, [index, seconds]) =>
      onBoundary(world, index, (one) => ({ ...one, maxTtl: Math.min(seconds, one.maxTtl ?? Infinity) })),
    ))

  it("by an entry less in a boundary", () =>
    narrows(which, (world, index) => onBoundary(world, index, (one) => ({ ...one, allow: without(one.allow, index) }))))

  it("by one more field in an entry, or a pattern or a key less in one", () => {
    const field = fc.constantFrom("role", "tags", "arns", "level", "constructor", "absent")
    narrows(fc.tuple(which, field, fc.constantFrom("*", "role/**", "shop", "1")), (world, [index, name, pattern]) =>
      onEntry(world, index, (entry) => {
        const said = Object.hasOwn(entry.fields, name) ? entry.fields[name] : undefined
        if (said === undefined) return { ...entry, fields: { ...entry.fields, [name]: [pattern] } }
        const rest = isPatterns(said) ? without(said, index) : Object.fromEntries(without(Object.entries(said), index))
        return { ...entry, fields: { ...entry.fields, [name]: rest } }
      }),
    )
  })

  it("by one more boundary that allows nothing", () =>
    narrows(fc.tuple(boundary, which), (world, [one, index]) => {
      const [before, behind] = [world.boundaries.slice(0, index % 4), world.boundaries.slice(index % 4)]
      return { ...world, boundaries: [...before, { ...one, allow: [] }, ...behind] }
    }))

  it("by one more boundary that allows, but what that one allows", () => {
    let added = 0
    fc.assert(
      fc.property(anyWorld, boundary, (world, one) => {
        for (const name of world.asked) {
          const alone = { ...world, asked: [name] }
          const before = ask(alone)
          const after = ask({ ...alone, boundaries: [...world.boundaries, one] })
          if (before.outcome === "allow") expectNoMore(after, before)
          else if (after.outcome === "allow") {
            added++
            for (const { grant, ttlSeconds } of after.grants) {
              const held = { connection: grant.connection.name, fields: grant.fields }
              expect(naiveAllows(one, held, world.identity)).toBe(true)
              expect(ttlSeconds).toBeLessThanOrEqual(one.maxTtl ?? Infinity)
            }
          }
        }
      }),
      RUNS,
    )
    expect(added).toBeGreaterThanOrEqual(fewest(60, CASES))
  })

  it("by a claim less in the token", () => {
    const both = counter()
    fc.assert(
      fc.property(plainWorld, fc.constantFrom(...CLAIMS), (world, name) => {
        const { [name]: _, ...fewer } = world.identity.claims
        const identity = { ...world.identity, claims: fewer as Claims }
        expectNoMore(ask({ ...world, identity }), both.count(ask(world)))
      }),
      RUNS,
    )
    both.expectBoth()
  })
})

describe("it never matters", () => {
  it("in which order boundaries, entries, fields, conditions, patterns, policies and rules stand", () => {
    const both = counter()
    fc.assert(
      fc.property(anyWorld, (world) => {
        const one = both.count(ask(world))
        const other = ask(turned(world))
        expect(other.outcome).toBe(one.outcome)
        expect(givenBy(other)).toEqual(givenBy(one))
        if (one.outcome === "deny" && other.outcome === "deny") {
          expect([other.code, other.awaitsProtection]).toEqual([one.code, one.awaitsProtection])
        }
      }),
      RUNS,
    )
    both.expectBoth()
  })

  it("whether a set was loaded or revived from what a build wrote, and whether a set is asked or all of its policies", () => {
    const both = counter()
    fc.assert(
      fc.property(anyWorld, (world) => {
        const input = inputOf(world)
        const before = both.count(decide(input))
        const set = policySet("v1", input.organisation, input.policies)
        const again = revived(JSON.parse(JSON.stringify(compiled(set))), PROVIDERS)
        const policies = again.policiesOf(world.identity)
        // -0 has no form of its own in JSON, and is 0 for every ceiling.
        const after = decide({ ...input, organisation: again.organisation, policies: again.policies })
        expect(after.trace).toEqual(before.trace)
        expect(givenBy(after)).toEqual(givenBy(before))
        expect(givenBy(decide({ ...input, organisation: again.organisation, policies }))).toEqual(givenBy(before))
        expect(policies.map(({ file }) => file).sort()).toEqual(
          set
            .policiesOf(world.identity)
            .map(({ file }) => file)
            .sort(),
        )
      }),
      RUNS,
    )
    both.expectBoth()
  })
})

/** The same world, with everything that has an order written the other way round. */
function turned<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.toReversed().map(turned) as Value
  if (typeof value !== "object" || value === null) return value
  // The order inside of a grant's own lists is its provider's.
  const entries = Object.entries(value).map(([key, member]) => [
    key,
    key === "grants" || key === "identity" ? member : turned(member),
  ])
  return Object.fromEntries(entries.toReversed()) as Value
}

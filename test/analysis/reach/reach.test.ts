import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Reach } from "../../../analysis/reach/reach.ts"
import {
  contains,
  intersect,
  isEmpty,
  isWithin,
  type Region,
  type Witness,
  witness,
} from "../../../analysis/regions/region.ts"
import type { Space } from "../../../analysis/regions/space.ts"
import { scopeKey, scopesOf } from "../../../analysis/scopes/scope.ts"
import { spaceFor } from "../../../analysis/scopes/scope-space.ts"
import { deniedOf, rulesFor } from "../../../analysis/scopes/survey.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { fewest, runs } from "../../support/laws.ts"
import { must } from "../patterns.ts"
import { type Answer, answersIn, decideFor, loadWorld, reachesIn, type WorldInput, worldOf } from "../world.ts"

const prod = (fields: Readonly<Record<string, unknown>> = {}) => ({ connection: "prod", ...fields })
const shop = { repository: "acme/shop", repository_id: "41", environment: "production" }
const fromMain = { name: "from main", when: { ref: "refs/heads/main" }, grants: ["deploy"] }

/** The only answer in a world of one policy and one grant. */
function onlyReach(input: WorldInput): Reach {
  const [found, ...more] = reachesIn(worldOf(input)).flatMap(({ reaches }) => reaches)
  if (!found || more.length > 0) throw new Error("one reach")
  return found
}

const isAllowed = (input: WorldInput, region: Region, grant = "deploy") => {
  const found = witness(region)
  if (found === null) throw new Error("a witness")
  return decideFor(worldOf(input), found, grant).outcome === "allow"
}

describe("without a ceiling", () => {
  it("whoever policies admit gets the grant", () => {
    const reach = onlyReach({ policies: [{ ...shop, allow: [fromMain], grants: { deploy: prod() } }] })
    expect(witness(reach.inside)).toMatchObject({
      repository: "acme/shop",
      repository_id: "41",
      repository_owner: "acme",
      repository_owner_id: "9001",
      environment: "production",
      ref: "refs/heads/main",
      event_name: "push",
    })
    expect([isEmpty(reach.outside), isEmpty(reach.unproven), reach.refusals]).toEqual([true, true, []])
    expect(reach.maxTtlSeconds).toBe(900)
  })

  it("a deny that always covers an allow leaves nobody", () => {
    const policy = { ...shop, allow: [fromMain], grants: { deploy: prod() } }
    const reach = onlyReach({
      policies: [{ ...policy, deny: [{ name: "no branches", when: { ref: "refs/heads/*" } }] }],
    })
    expect(isEmpty(reach.admitted)).toBe(true)
    expect(reach.maxTtlSeconds).toBe(0)
  })

  it("what a repository keeps for itself reaches nobody", () => {
    const policies = [{ ...shop, allow: [fromMain], grants: { deploy: prod() } }]
    expect(isEmpty(onlyReach({ policies, own: [0] }).admitted)).toBe(true)
  })
})

describe("below a ceiling", () => {
  const policies = [{ ...shop, allow: [fromMain], grants: { deploy: prod({ role: "shop-deploy" }) } }]
  const ceiling = (boundary: Readonly<Record<string, unknown>>): WorldInput => ({
    boundaries: [{ name: "shop", when: { repository: ["acme/shop", "acme/shop-*"] }, ...boundary }],
    policies,
  })

  it.each([
    { name: "a boundary that allows it", boundary: { allow: [prod({ role: "shop-*" })] }, why: [] },
    { name: "another role", boundary: { allow: [prod({ role: "web-*" })] }, why: ["not-allowed"] },
    { name: "another connection", boundary: { allow: [{ connection: "dev" }] }, why: ["not-allowed"] },
    { name: "a field that it leaves out", boundary: { allow: [prod({ scopes: "a" })] }, why: ["not-allowed"] },
    { name: "a field that its provider fills in", boundary: { allow: [prod({ region: "eu" })] }, why: [] },
    {
      name: "a requirement that not all fulfil",
      boundary: { allow: [prod()], require: { runner_environment: "github-hosted" } },
      why: ["requirement"],
    },
    {
      name: "a lifetime that cannot be minted",
      boundary: { allow: [{ connection: "loud" }], max_ttl: "60s" },
      why: ["lifetime"],
    },
    { name: "nothing but a restriction", boundary: { require: { ref: "refs/heads/main" } }, why: ["not-allowed"] },
  ])("$name puts whom it must outside", ({ boundary, why }) => {
    const world = ceiling(boundary)
    const reach = onlyReach(world)
    const found = reach.refusals.map((each) => each.why)
    expect(new Set(found).isSupersetOf(new Set(why))).toBe(true)
    expect(isEmpty(reach.outside)).toBe(why.length === 0)
    if (!isEmpty(reach.outside)) expect(isAllowed(world, reach.outside)).toBe(false)
    if (!isEmpty(reach.inside)) expect(isAllowed(world, reach.inside)).toBe(true)
    for (const { boundaries } of reach.refusals) expect(boundaries.map((one) => one.name)).toEqual(["shop"])
  })

  it("an identity outside is shown with the claim that puts it there", () => {
    const reach = onlyReach(ceiling({ allow: [prod()], require: { runner_environment: "github-hosted" } }))
    expect(witness(reach.outside)).toMatchObject({ ref: "refs/heads/main", runner_environment: "self-hosted" })
    expect(witness(reach.inside)).toMatchObject({ runner_environment: "github-hosted" })
  })

  it("the longest lifetime is that of whom the limits bind least", () => {
    const world = (...limits: readonly unknown[]): WorldInput => ({
      boundaries: [{ name: "all", when: { repository: "acme/*" }, allow: [prod()] }, ...limits],
      policies: [
        {
          ...shop,
          allow: [{ name: "branches", when: { ref: "refs/heads/*" }, grants: ["deploy"] }],
          grants: { deploy: prod() },
        },
      ],
    })
    const main = { name: "main", when: { ref: "refs/heads/main" }, max_ttl: "5m" }
    const rest = { name: "rest", when: { ref: { not: "refs/heads/main" } }, max_ttl: "10m" }
    expect(onlyReach(world(main)).maxTtlSeconds).toBe(900)
    expect(onlyReach(world(main, rest)).maxTtlSeconds).toBe(600)
    expect(onlyReach(world(main, { ...rest, max_ttl: "3m" })).maxTtlSeconds).toBe(300)
    expect(onlyReach(world({ name: "every", when: { repository: "**" }, max_ttl: "4m" })).maxTtlSeconds).toBe(240)
  })

  it("demands on the environment are told with their source", () => {
    const demand = { required_reviewers: true }
    const reach = onlyReach({
      boundaries: [{ name: "all", when: { repository: "acme/*" }, allow: [prod()], protected_environment: demand }],
      policies: [{ ...shop, allow: [fromMain], grants: { deploy: prod() }, protected_environment: demand }],
    })
    expect(reach.demands.map(({ file, boundary }) => [file, boundary])).toEqual([
      ["0.yaml", undefined],
      ["daypass.yaml", "all"],
    ])
    expect(isEmpty(reach.inside)).toBe(false)
  })

  it("a demand on the environment refuses jobs that run in none", () => {
    const { environment: _, ...none } = shop
    const reach = onlyReach({
      boundaries: [
        {
          name: "all",
          when: { repository: "acme/*" },
          allow: [prod()],
          protected_environment: { required_reviewers: true },
        },
      ],
      policies: [{ ...none, allow: [fromMain], grants: { deploy: prod() } }],
    })
    expect(isEmpty(reach.inside)).toBe(true)
    expect(reach.refusals.map(({ why }) => why)).toEqual(["no-environment"])
  })
})

describe("a policy for several repositories", () => {
  const wide = (role: string, repository = "acme/svc-*") => ({
    repository,
    environment: "production",
    allow: [fromMain],
    grants: { deploy: prod({ role }) },
  })
  const boundary = (name: string, repository: string, role: string | readonly string[]) => ({
    name,
    when: { repository },
    allow: [prod({ role })],
  })

  it.each([
    { name: "a role of the same name", role: `\${repository_name}-deploy`, allowed: "svc-*-deploy", isRefused: false },
    { name: "a narrower role", role: `\${repository_name}-deploy`, allowed: "svc-a*-deploy", isRefused: true },
    { name: "a role by its environment", role: `x-\${environment}`, allowed: "*-production", isRefused: false },
    { name: "a role of another environment", role: `x-\${environment}`, allowed: "*-staging", isRefused: true },
    { name: "a role by a free claim", role: `x-\${actor}`, allowed: "x-*", isRefused: false },
    { name: "a role by a claim that is not held", role: `x-\${actor}`, allowed: "x-a*", isRefused: true },
    {
      name: "two gaps that are both held",
      role: `\${repository_name}-\${actor}`,
      allowed: "svc-*-*",
      isRefused: false,
    },
    { name: "an escaped gap", role: `$\${actor}`, allowed: `\${actor}`, isRefused: false },
  ])("with $name is inside or not: $isRefused", ({ role, allowed, isRefused }) => {
    const world = { boundaries: [boundary("svc", "acme/svc-*", allowed)], policies: [wide(role)] }
    const reach = onlyReach(world)
    expect(isEmpty(reach.unproven)).toBe(true)
    expect(isEmpty(reach.outside)).toBe(!isRefused)
    if (isRefused) expect(isAllowed(world, reach.outside)).toBe(false)
    // Only another environment leaves nobody inside: of every other role, some job's claims make one that is allowed.
    expect(isEmpty(reach.inside)).toBe(allowed === "*-staging")
    if (!isEmpty(reach.inside)) expect(isAllowed(world, reach.inside)).toBe(true)
  })

  it("is refused by another's deny where their names meet, and only there", () => {
    const deny = [{ name: "frozen", when: { ref: "refs/heads/*" } }]
    const world = { policies: [wide("x"), { repository: "acme/*-pay", environment: "production", deny }] }
    const [answer] = reachesIn(worldOf(world))
    const [reach] = answer?.reaches ?? []
    const [frozen] = answer ? rulesFor(answer.survey, "deny", "deploy") : []
    if (!reach || !frozen) throw new Error("a reach and a deny")
    expect(witness(frozen.region)?.["repository"]).toBe("acme/svc-pay")
    expect(isEmpty(must(intersect(reach.inside, frozen.region)))).toBe(true)
    expect(isAllowed(world, reach.inside)).toBe(true)
  })

  it("knows which repository's name goes into which role", () => {
    const world: WorldInput = {
      boundaries: [
        boundary("a", "acme/svc-a*", "role/svc-a*"),
        boundary("rest", "acme/svc-*", ["role/svc-b*", "role/svc-c*"]),
      ],
      policies: [wide(`role/\${repository_name}`)],
    }
    const reach = onlyReach(world)
    const outside = witness(reach.outside)?.["repository"] ?? ""
    expect(outside).toMatch(/^acme\/svc-[^abc][A-Za-z0-9_.-]*$/)
    expect(isAllowed(world, reach.outside)).toBe(false)
    expect(isAllowed(world, reach.inside)).toBe(true)
  })

  it("says unproven, and never inside, when several claims fill one text and some of them would not do", () => {
    const world = {
      boundaries: [boundary("svc", "acme/svc-*", `\${actor}-x`)].map((one) => ({
        ...one,
        allow: [prod({ role: "a*" })],
      })),
      policies: [wide(`\${actor}\${ref_type}`)],
    }
    const reach = onlyReach(world)
    expect(isEmpty(reach.inside)).toBe(true)
    expect(isEmpty(reach.outside)).toBe(true)
    expect(isEmpty(reach.unproven)).toBe(false)
  })

  it("says unproven when its provider rewrites what goes into a gap", () => {
    const reach = onlyReach({
      boundaries: [{ name: "loud", when: { repository: "acme/*" }, allow: [{ connection: "loud", text: "SVC-*" }] }],
      policies: [{ ...wide("x"), grants: { deploy: { connection: "loud", text: `\${repository_name}` } } }],
    })
    expect([isEmpty(reach.inside), isEmpty(reach.outside), isEmpty(reach.unproven)]).toEqual([true, true, false])
  })

  it("covers an exact target by its written name, and leaves that repository to it", () => {
    const exact = { repository: "acme/svc-pay", repository_id: "7", environment: "production" }
    const deny = { ...exact, deny: [{ name: "frozen", when: { ref: "refs/heads/*" } }] }
    const condition = { ...fromMain, when: { ...fromMain.when, repository_id: ["7", "8"] } }
    const found = reachesIn(worldOf({ policies: [{ ...wide("x"), allow: [condition] }, deny] }))
    const byTarget = new Map(found.map(({ survey, reaches }) => [survey.scope.target.kind, reaches]))
    expect(byTarget.get("unit")?.map(({ inside }) => isEmpty(inside))).toEqual([true])
    const [reach] = byTarget.get("owner") ?? []
    expect(witness(reach?.inside ?? never())).toMatchObject({ repository_id: "8" })
  })

  it("defined twice under one name gives neither", () => {
    const found = reachesIn(worldOf({ policies: [wide("x"), wide("y", "acme/*-pay")] }))
    for (const { reaches, survey } of found) {
      const both = {
        ...witness(survey.all),
        repository: "acme/svc-pay",
        ref: "refs/heads/main",
      }
      for (const { inside } of reaches) {
        expect(isEmpty(inside) || !contains(inside, both)).toBe(true)
      }
      expect(reaches.map(({ policy }) => policy.file)).toEqual(["0.yaml", "1.yaml"])
    }
  })
})

const never = (): never => {
  throw new Error("one reach")
}

describe("a reach", () => {
  const PATTERNS = ["a", "b", "*", "a*", "*b", "**", "push", "pull_request"]
  const NAMES = ["acme/svc-a", "acme/svc-*", "acme/*", "acme/*a", "umbrella/*", "acme/shop"]
  const one = fc.oneof(
    fc.constantFrom(...PATTERNS),
    fc.uniqueArray(fc.constantFrom(...PATTERNS), { minLength: 1, maxLength: 2 }),
  )
  const test = fc.oneof({ weight: 4, arbitrary: one }, fc.record({ not: one }), fc.record({ present: fc.boolean() }))
  const names = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 2 })
  const claims = fc.dictionary(fc.constantFrom("ref", "team", "event_name", "actor"), test, {
    minKeys: 1,
    maxKeys: 2,
    noNullPrototype: true,
  })
  const when = fc
    .tuple(claims, fc.option(fc.oneof(names, fc.record({ not: names })), { nil: undefined }))
    .map(([own, repository]) => ({ ...own, ...(repository === undefined ? {} : { repository }) }))
  const GRANTS = ["deploy", "read"]
  const grantNames = fc.uniqueArray(fc.constantFrom(...GRANTS), { minLength: 1 })
  const role = fc.constantFrom(
    "a",
    "b",
    "svc-a",
    `\${repository_name}`,
    `r-\${actor}`,
    `\${team}`,
    `\${environment}`,
    `\${actor}\${team}`,
  )
  const fields = fc.record(
    {
      role,
      scopes: fc.array(role, { maxLength: 2 }),
      tags: fc.dictionary(fc.constantFrom("k", "l"), fc.oneof(role, fc.constant(1)), {
        maxKeys: 2,
        noNullPrototype: true,
      }),
    },
    { requiredKeys: [] },
  )
  const grants = fc.tuple(fields, fields).map(([deploy, read]) => ({
    deploy: { connection: "prod", ...deploy },
    read: { connection: "dev", ...read, ttl: "20m" },
  }))
  const rules = {
    allow: fc.array(fc.record({ when, grants: grantNames }), { minLength: 1, maxLength: 3 }),
    deny: fc.array(fc.record({ when, grants: grantNames }, { requiredKeys: ["when"] }), { minLength: 1, maxLength: 2 }),
  }
  const exact = fc.constantFrom(
    { repository: "acme/svc-a", repository_id: "41" },
    { repository: "acme/shop", repository_id: "42" },
    // A repository that was renamed: policies know it by both names.
    { repository: "acme/shop", repository_id: "41" },
  )
  const wide = fc.constantFrom("acme/*", "acme/svc-*", "acme/*a").map((repository) => ({ repository }))
  const policy = fc
    .record({
      head: fc.oneof(exact, wide),
      environment: fc.constantFrom("production", "production", "staging", undefined),
      allow: rules.allow,
      deny: fc.option(rules.deny, { nil: undefined }),
      grants,
    })
    .map(({ head, environment, allow, deny, grants: given }) => ({
      ...head,
      ...(environment === undefined ? {} : { environment }),
      allow: allow.map((rule, index) => ({ name: `allow ${index}`, ...rule })),
      ...(deny ? { deny: deny.map((rule, index) => ({ name: `deny ${index}`, ...rule })) } : {}),
      grants: given,
    }))
  const ceilingRole = fc.constantFrom("a", "**", "*", "svc-*", "r-a*", "*b", "production", `$\${team}`)
  const entry = fc.record(
    {
      connection: fc.constantFrom("prod", "dev"),
      role: ceilingRole,
      scopes: ceilingRole,
      tags: fc.oneof(
        ceilingRole,
        fc.dictionary(fc.constantFrom("k", "l"), ceilingRole, { minKeys: 1, noNullPrototype: true }),
      ),
    },
    { requiredKeys: ["connection"] },
  )
  const boundary = fc.record(
    {
      when,
      allow: fc.array(entry, { minLength: 1, maxLength: 3 }),
      require: claims,
      max_ttl: fc.constantFrom("3m", "10m"),
      protected_environment: fc.constant({ required_reviewers: true }),
    },
    { requiredKeys: ["when"] },
  )
  const world: fc.Arbitrary<WorldInput> = fc.record({
    policies: fc.array(policy, { minLength: 1, maxLength: 3 }).map((all) =>
      // A grant is defined once for one repository and environment.
      all.filter((each, index) => {
        const same = (one: typeof each) => one.repository === each.repository && one.environment === each.environment
        return all.findIndex(same) === index
      }),
    ),
    boundaries: fc
      .array(boundary, { maxLength: 3 })
      .map((all) => all.map((each, index) => ({ name: `b${index}`, ...each }))),
    own: fc.uniqueArray(fc.nat({ max: 2 }), { maxLength: 2 }),
  })

  const picks = fc.array(fc.array(fc.nat({ max: 10_000 }), { minLength: 24, maxLength: 24 }), {
    minLength: 20,
    maxLength: 20,
  })
  const pointOf = ({ axes }: Space, pick: readonly number[]): Witness =>
    Object.fromEntries(
      axes.flatMap(({ claim, values }, index): (readonly [string, string])[] => {
        const value = values[(pick[index] ?? 0) % values.length] ?? null
        return value === null ? [] : [[claim, value]]
      }),
    )

  const seen = { allow: 0, deny: 0, outside: 0 }

  /** Holds what an answer says of one identity against what the broker decides. */
  function compare(set: PolicySet, { survey, name, reaches }: Answer, point: Witness): void {
    if (!contains(survey.all, point)) return
    const among = (which: "inside" | "outside" | "unproven" | "admitted") =>
      reaches.filter((reach) => contains(reach[which], point)).length
    expect(among("admitted")).toBeLessThanOrEqual(1)
    expect(among("inside") + among("outside") + among("unproven")).toBe(among("admitted"))
    if (among("unproven") > 0) return
    const decision = decideFor(set, point, name)
    expect(decision.outcome, JSON.stringify({ point, name })).toBe(among("inside") > 0 ? "allow" : "deny")
    seen[decision.outcome]++
    const reach = reaches.find(({ admitted }) => contains(admitted, point))
    if (among("outside") > 0) {
      seen.outside++
      expect(reach?.refusals.some(({ region }) => contains(region, point))).toBe(true)
    }
    if (decision.outcome === "allow") {
      expect(decision.grants[0]?.ttlSeconds).toBeLessThanOrEqual(reach?.maxTtlSeconds ?? 0)
    }
  }

  function pointsOf({ survey, reaches }: Answer, picked: readonly (readonly number[])[]): readonly Witness[] {
    const regions = reaches.flatMap(({ inside, outside, unproven, admitted }) => [inside, outside, unproven, admitted])
    const witnesses = regions.map(witness).filter((found) => found !== null)
    return [...witnesses, ...picked.map((pick) => pointOf(survey.space, pick))]
  }

  it("is what the broker decides, for every identity", () => {
    fc.assert(
      fc.property(world, picks, (input, picked) => {
        const loaded = loadWorld(input)
        fc.pre(loaded.ok)
        const set = must(loaded)
        for (const answer of reachesIn(set)) {
          for (const point of pointsOf(answer, picked)) compare(set, answer, point)
        }
      }),
      { numRuns: runs(300) },
    )
    // The generator would prove nothing if it only ever met one answer.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThanOrEqual(fewest(80, 300))
  })

  it("is so in a space that an old and a new organisation share", () => {
    fc.assert(
      fc.property(world, world, picks, (before, after, picked) => {
        const loaded = [loadWorld(before), loadWorld(after)]
        fc.pre(loaded.every(({ ok }) => ok))
        const sets = loaded.map(must)
        // Each is told of the other's names: an id can go by both.
        const parts = sets.flatMap((set, index) =>
          scopesOf(set, sets[1 - index]).map((scope) => ({ scope, organisation: set.organisation, set })),
        )
        for (const key of new Set(parts.map(({ scope }) => scopeKey(scope)))) {
          const shared = parts.filter(({ scope }) => scopeKey(scope) === key)
          const space = must(spaceFor(shared))
          for (const part of shared) {
            for (const answer of answersIn(part, space)) {
              for (const point of pointsOf(answer, picked)) compare(part.set, answer, point)
            }
          }
        }
      }),
      { numRuns: runs(50) },
    )
  })
})

describe("the rules of a scope", () => {
  it("are told with whom they match, so that one is found that a deny always covers", () => {
    const set = worldOf({
      policies: [
        {
          ...shop,
          allow: [fromMain, { name: "tags", when: { ref: "refs/tags/*" }, grants: ["deploy"] }],
          deny: [{ name: "no tags", when: { ref: "refs/tags/**" }, grants: ["deploy"] }],
          grants: { deploy: prod() },
        },
      ],
    })
    const [answer] = reachesIn(set)
    if (!answer) throw new Error("an answer")
    const denied = must(deniedOf(answer.survey, "deploy"))
    const covered = rulesFor(answer.survey, "allow", "deploy").filter(({ region }) => must(isWithin(region, denied)))
    expect(covered.map(({ rule }) => rule.name)).toEqual(["tags"])
  })
})

import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { diffPolicySets } from "../../../analysis/diff/diff.ts"
import { changedScopes } from "../../../analysis/diff/scopes.ts"
import { explainDiff } from "../../../analysis/diff/words.ts"
import { reachesOf } from "../../../analysis/reach/reach.ts"
import { decideSample, getsMore, isMore, PROTECTIONS } from "../../../analysis/reach/sample-job.ts"
import { type Box, contains, type Witness } from "../../../analysis/regions/region.ts"
import type { Space } from "../../../analysis/regions/space.ts"
import { spaceFor } from "../../../analysis/scopes/scope-space.ts"
import type { Policy, PolicySet } from "../../../broker/core/policy/model.ts"
import { compilePattern } from "../../../broker/core/policy/pattern.ts"
import { fewest, runs } from "../../support/laws.ts"
import { must } from "../patterns.ts"
import { CLOUDS, change, type DiffWorld, diffOf, ISSUER, loadDiffWorld, ownChange } from "./world.ts"

const shop = { repository: "acme/shop", repository_id: "41", environment: "production" }
const fromMain = { name: "from main", when: { ref: "refs/heads/main" }, grants: ["deploy"] }
const policy = { ...shop, allow: [fromMain], grants: { deploy: { connection: "prod", role: "shop", ttl: "15m" } } }
const OLD: DiffWorld = { policies: { "shop.yaml": policy } }
const world = (more: Readonly<Record<string, unknown>>): DiffWorld => ({
  policies: { "shop.yaml": { ...policy, ...more } },
})
const emergency = (demand: object | null): DiffWorld =>
  world({
    protected_environment: { required_reviewers: true, prevent_self_review: true },
    grants: { deploy: { ...policy.grants.deploy, ...(demand && { break_glass: demand }) } },
  })
const organised = (organisation: Readonly<Record<string, unknown>>): DiffWorld => ({ ...OLD, organisation })
const ceiling = (boundary: Readonly<Record<string, unknown>> = {}) =>
  organised({
    boundaries: [{ name: "all", when: { repository: "acme/*" }, allow: [{ connection: "prod" }], ...boundary }],
  })
const own = (boundary: Readonly<Record<string, unknown>> = {}) => ({
  policies: {},
  organisation: {
    issuers: { github: { ...ISSUER, repository_policies: true } },
    boundaries: [
      { name: "all", when: { repository: "acme/*" }, allow: [{ connection: "prod", role: "a*" }], ...boundary },
    ],
  },
})
const shopDeny = { name: "frozen", when: { actor: "mallory" } }

describe("limits", () => {
  const limited = organised({ limits: [{ when: { repository: "acme/*" }, open_leases: 5 }] })
  const raised = organised({ limits: [{ when: { repository: "acme/*" }, open_leases: 6 }] })
  const grant = (more: object) => world({ grants: { deploy: { ...policy.grants.deploy, ...more } } })
  it.each<readonly [string, DiffWorld, DiffWorld]>([
    ["that are new", OLD, limited],
    ["that were raised", limited, raised],
    ["that are gone", limited, OLD],
    ["of a grant", grant({ max_open_leases: 1 }), grant({ max_open_leases: 9 })],
  ])("%s are told, and count neither as more nor as less", (_, before, after) => {
    const diff = diffOf(before, after)
    expect(diff).toMatchObject({ widens: false, narrows: false, changes: [], limitsDiffer: true })
    expect(explainDiff(diff).join("\n")).toBe(
      "No job gets more or less.\nThe limits of what jobs may use up differ. They are no permissions.",
    )
  })

  it("in another order are the same limits", () => {
    const two = [
      { when: { repository: "acme/*" }, open_leases: 5 },
      { when: { repository_owner: "acme" }, denials_per_hour: 7 },
    ]
    expect(diffOf(organised({ limits: two }), organised({ limits: two.toReversed() })).limitsDiffer).toBe(false)
  })
})

describe("no change for anybody", () => {
  it.each<readonly [string, DiffWorld, DiffWorld]>([
    ["the same", OLD, OLD],
    ["a renamed rule", OLD, world({ allow: [{ ...fromMain, name: "another name" }] })],
    ["another file name", OLD, { policies: { "else/where.yaml": policy } }],
    [
      "a grant that moved to another file",
      OLD,
      {
        policies: {
          "rules.yaml": { ...shop, allow: [fromMain] },
          "grants.yaml": { ...shop, grants: policy.grants },
        },
      },
    ],
    [
      "an allow that another covers",
      OLD,
      world({ allow: [fromMain, { ...fromMain, name: "more", when: { ...fromMain.when, actor: "a" } }] }),
    ],
    [
      "a pattern that says the same",
      OLD,
      world({ allow: [{ ...fromMain, when: { ref: ["refs/heads/main", "refs/heads/main"] } }] }),
    ],
    ["a deny of whom nothing allows", OLD, world({ deny: [{ name: "tags", when: { ref: "refs/tags/**" } }] })],
    [
      "a connection that no grant uses",
      OLD,
      organised({ connections: { prod: { provider: "cloud" }, dev: { provider: "cloud", region: "x" } } }),
    ],
    ["a ceiling that holds back nobody", OLD, ceiling()],
  ])("%s", (_, old, next) => {
    const diff = diffOf(old, next)
    expect(diff.changes.map(({ says }) => says)).toEqual([])
    expect([diff.widens, diff.narrows]).toEqual([false, false])
    expect(explainDiff(diff)).toEqual(["No job gets more or less."])
  })
})

describe("what gives more one way gives less the other way:", () => {
  it.each<readonly [string, DiffWorld, DiffWorld, string]>([
    [
      "a branch more",
      OLD,
      world({ allow: [{ ...fromMain, when: { ref: ["refs/heads/main", "refs/heads/release/*"] } }] }),
      "can get deploy: shop through prod, for 15m",
    ],
    [
      "a longer lifetime",
      OLD,
      world({ grants: { deploy: { connection: "prod", role: "shop", ttl: "20m" } } }),
      "can have deploy for 20m instead of 15m",
    ],
    ["a deny less", world({ deny: [shopDeny] }), OLD, "can get deploy: shop through prod, for 15m"],
    [
      "a demand less",
      world({ protected_environment: { required_reviewers: true } }),
      OLD,
      "no longer needs required reviewers on the environment for deploy",
    ],
    [
      "break_glass less",
      emergency({ approvals: 1 }),
      emergency(null),
      "no longer needs an approval of the run by somebody else for deploy",
    ],
    [
      "an approval less",
      emergency({ approvals: 2, reason: "required" }),
      emergency({ approvals: 1, reason: "required" }),
      "no longer needs 2 approvals of the run by others, with reasons for deploy",
    ],
    [
      "a reason less",
      emergency({ reason: "required" }),
      emergency({}),
      "no longer needs an approval of the run by somebody else, with a reason for deploy",
    ],
    [
      "a boundary's demand less",
      ceiling({ protected_environment: { prevent_self_review: true } }),
      ceiling(),
      "no longer needs no self-review on the environment for deploy",
    ],
    [
      "a boundary's requirement less",
      ceiling({ require: { runner_environment: "github-hosted" } }),
      ceiling(),
      "can get deploy: shop through prod, for 15m",
    ],
    [
      "a boundary's longer limit",
      ceiling({ max_ttl: "5m" }),
      ceiling({ max_ttl: "10m" }),
      "can have deploy for 10m instead of 5m",
    ],
    [
      "no ceiling",
      ceiling({ when: { repository: "acme/*", ref: "refs/heads/x" } }),
      OLD,
      "can get deploy: shop through prod, for 15m",
    ],
    ["a binding less", organised({ require_bound_token: true }), OLD, "no longer need a key-bound token for prod"],
    [
      "an account more",
      organised({ connections: { prod: { provider: "cloud", accounts: ["1"] } } }),
      organised({ connections: { prod: { provider: "cloud", accounts: ["1", "2"] } } }),
      "have grants of prod, where accounts adds 2",
    ],
    [
      "a longer token",
      organised({ issuers: { github: { ...ISSUER, max_token_lifetime: "5m" } } }),
      OLD,
      "can use subject tokens that live as long as the issuer's family allows, before: for 5m at most",
    ],
    [
      "an owner more",
      OLD,
      organised({ issuers: { github: { ...ISSUER, owners: { acme: "9001", umbrella: "9002" } } } }),
      "now include jobs of the owner umbrella (id 9002), and policies can give them grants",
    ],
    [
      "repositories' own policies",
      { ...own(), organisation: { ...own().organisation, issuers: { github: ISSUER } } },
      own(),
      "could get grants of prod by a policy of their own, for 1h",
    ],
    [
      "a wider entry",
      own(),
      own({ allow: [{ connection: "prod", role: ["a*", "b*"] }] }),
      "could get grants of prod by a policy of their own, for 1h",
    ],
    [
      "entries that were two",
      own({
        allow: [
          { connection: "prod", scopes: "a" },
          { connection: "prod", scopes: "b" },
        ],
      }),
      own({ allow: [{ connection: "prod", scopes: ["a", "b"] }] }),
      "could get grants of prod by a policy of their own, for 1h",
    ],
    [
      "a wide policy's deny of all less",
      { ...own(), policies: { "wide.yaml": { repository: "acme/*", deny: [shopDeny] } } },
      own(),
      "could get grants of prod by a policy of their own, for 1h",
    ],
    [
      "a policy's deny of all less",
      { ...own(), policies: { "shop.yaml": { ...shop, deny: [shopDeny] } } },
      own(),
      "could get grants of prod by a policy of their own, for 1h",
    ],
  ])("%s", (_, old, next, says) => {
    const forth = diffOf(old, next)
    expect(forth.changes.map((one) => [one.direction, one.says])).toContainEqual(["wider", says])
    expect([forth.widens, forth.narrows]).toEqual([true, false])
    const back = diffOf(next, old)
    expect([back.widens, back.narrows]).toEqual([false, true])
  })
})

describe("moved sideways is both more and less:", () => {
  it.each<readonly [string, DiffWorld]>([
    ["another role", world({ grants: { deploy: { connection: "prod", role: "else" } } })],
    ["another connection", world({ grants: { deploy: { connection: "dev", role: "shop" } } })],
    ["another setting", organised({ connections: { prod: { provider: "cloud", region: "eu" } } })],
    ["another issuer", organised({ issuers: { github: { ...ISSUER, url: "https://issuer.example.com" } } })],
    ["another environment", world({ environment: "staging" })],
  ])("%s", (_, next) => {
    const diff = diffOf(OLD, next)
    expect([diff.widens, diff.narrows]).toEqual([true, true])
  })
})

it("words and an example say who is concerned", () => {
  const diff = diffOf(
    OLD,
    world({ allow: [{ ...fromMain, when: { ref: ["refs/heads/main", "refs/heads/release/*"] } }] }),
  )
  expect(explainDiff(diff)).toEqual([
    "+ MORE  acme/shop (id 41), production",
    "        can get deploy: shop through prod, for 15m",
    "        if ref is refs/heads/release/*",
    "        for example: acme/shop, production, ref refs/heads/release/x, event push",
    "        shop.yaml:1",
    "",
    "1 change gives more. No job gets less.",
  ])
})

it("what is too complex to tell counts as more", () => {
  const hard = (letters: string) => [...letters].map((letter) => `**${letter}${"*x".repeat(20)}`)
  const diff = diffOf(OLD, world({ allow: [{ ...fromMain, when: { ref: hard("abcdefghijkl") } }] }))
  expect(diff.widens).toBe(true)
})

const CASES = 300

describe("a diff", () => {
  const picks = fc.array(fc.array(fc.nat({ max: 10_000 }), { minLength: 20, maxLength: 20 }), {
    minLength: 3,
    maxLength: 3,
  })
  const pointOf = ({ axes }: Space, pick: readonly number[], box?: Box): Witness =>
    Object.fromEntries(
      axes.flatMap(({ claim, values: all }, index): (readonly [string, string])[] => {
        const values = box ? all.filter((_, at) => ((box[index] ?? 0n) >> BigInt(at)) & 1n) : all
        const value = values[(pick[index] ?? 0) % values.length] ?? null
        return value === null ? [] : [[claim, value]]
      }),
    )

  it("tells of everybody who gets more, and shows only whom it really concerns", () => {
    const seen = { more: 0, less: 0, same: 0, wider: 0, narrower: 0, unproven: 0 }
    fc.assert(
      fc.property(change, picks, ([before, after], picked) => {
        const [old, next] = [loadDiffWorld(before), loadDiffWorld(after)]
        fc.pre(old !== null && next !== null)
        if (old === null || next === null) return
        const diff = diffPolicySets(old, next, { providers: CLOUDS })
        for (const { direction, example, proven, grant, kind } of diff.changes) {
          if (kind === "own-policies") continue
          if (!proven) seen.unproven++
          if (example === null || grant === null) continue
          seen[direction]++
          const [more, less] = direction === "wider" ? [next, old] : [old, next]
          expect(getsMore(more, less, { witness: example, issuer: "github", grant })).toBe(true)
        }
        const shared = changedScopes(old, next).map((pair) => {
          const parts = [pair.old, pair.next].filter((part) => part !== null)
          const space = must(spaceFor(parts))
          // Points out of the blue are refused by both: most are taken among those who get something.
          const reaches = parts.flatMap((part) =>
            ["deploy", "read"].flatMap((name) => must(reachesOf(part, name, space))),
          )
          return { space, among: reaches.flatMap(({ inside }) => inside.boxes) }
        })
        for (const { space, among } of shared) {
          for (const [index, pick] of picked.entries()) {
            const point = pointOf(space, pick, among[index % (among.length + 1)])
            for (const grant of ["deploy", "read"]) {
              const question = { witness: point, issuer: "github", grant }
              if (getsMore(next, old, question)) {
                seen.more++
                expect(diff.widens, JSON.stringify(question)).toBe(true)
                const told = diff.changes.filter(
                  (one) =>
                    one.direction === "wider" &&
                    (one.grant === null || one.grant === grant) &&
                    (one.regions.length === 0 ||
                      one.regions.some((region) =>
                        region.space.axes.every(({ claim, values }) => values.includes(point[claim] ?? null))
                          ? contains(region, point)
                          : true,
                      )),
                )
                expect(
                  told.length,
                  JSON.stringify({ question, changes: diff.changes.map(({ regions: _, ...rest }) => rest) }),
                ).toBeGreaterThan(0)
              } else if (getsMore(old, next, question)) {
                seen.less++
                expect(diff.narrows).toBe(true)
              } else seen.same++
            }
          }
        }
      }),
      { numRuns: runs(CASES) },
    )
    // The generator would prove nothing if it only ever met one answer.
    for (const met of ["more", "less", "same", "wider", "narrower"] as const)
      expect(seen[met]).toBeGreaterThanOrEqual(fewest(75, CASES))
  })

  const anyRole = fc.constantFrom("a", "b", "svc-x", "else")
  // All fields, because what a grant leaves out is outside wherever an entry speaks of it.
  const anyFields = fc.record({
    role: anyRole,
    scopes: fc.array(anyRole, { minLength: 1, maxLength: 3 }),
    tags: fc.constantFrom({ k: "a" }, { l: "b" }, { k: "a", l: "b" }, { m: "a" }),
  })
  const anyJob = fc.record(
    {
      repository: fc.constantFrom("acme/svc-a", "acme/shop", "acme/else"),
      environment: fc.constant("production"),
      ref: fc.constantFrom("a", "ab", "b"),
      team: fc.constantFrom("a", "b", "c"),
      event_name: fc.constantFrom("push", "a"),
    },
    { requiredKeys: ["repository", "ref", "event_name"] },
  )

  it("tells of whatever a policy of a repository's own could give more", () => {
    const seen = { more: 0, less: 0, told: 0, unproven: 0 }
    const asked = fc.array(fc.tuple(anyJob, anyFields, fc.constantFrom("prod", "dev")), { minLength: 5, maxLength: 5 })
    fc.assert(
      fc.property(ownChange, asked, ([before, after], questions) => {
        const [old, next] = [loadDiffWorld(before), loadDiffWorld(after)]
        fc.pre(old !== null && next !== null)
        if (old === null || next === null) return
        const diff = diffPolicySets(old, next, { providers: CLOUDS })
        // What is too complex to prove is told as wider too, and has no example.
        const told = diff.changes.filter(({ kind }) => kind === "own-policies" || kind === "too-complex")
        seen.told += told.length
        seen.unproven += told.filter(({ proven }) => !proven).length
        for (const [job, fields, connection] of questions) {
          const id = { "acme/svc-a": "41", "acme/shop": "42", "acme/else": "43" }[job.repository] ?? ""
          const witness = {
            ...job,
            repository_id: id,
            repository_owner: "acme",
            repository_owner_id: "9001",
            ref_type: "branch",
            actor: "octocat",
            run_id: "1",
            run_attempt: "1",
          }
          const decided = (set: PolicySet, protection: (typeof PROTECTIONS)[number]) =>
            decideSample(
              set,
              { witness, issuer: "github", grant: "own", protection },
              ownPolicies(set, witness, connection, fields),
            )
          const some = [PROTECTIONS[0], PROTECTIONS[4], PROTECTIONS[8], PROTECTIONS.at(-1)].filter(
            (one) => one !== undefined,
          )
          if (some.some((protection) => isMore(decided(next, protection), decided(old, protection)))) {
            seen.more++
            expect(diff.widens, JSON.stringify({ witness, fields, connection })).toBe(true)
            const bound = diff.changes.some(({ kind }) => kind === "token-binding" || kind === "connection")
            expect(bound || told.some((one) => one.direction === "wider" && one.connection === connection)).toBe(true)
          } else if (some.some((protection) => isMore(decided(old, protection), decided(next, protection)))) {
            seen.less++
          }
        }
      }),
      { numRuns: runs(CASES) },
    )
    for (const met of ["more", "less", "told"] as const) expect(seen[met]).toBeGreaterThanOrEqual(fewest(50, CASES))
    expect(seen.unproven).toBeLessThan(seen.told / 20)
  })
})

/** What a repository would keep for itself to get just this, where repositories may. */
function ownPolicies(set: PolicySet, witness: Witness, connection: string, fields: unknown): readonly Policy[] {
  const there = set.organisation.connections.get(connection)
  const event = compilePattern(witness["event_name"] ?? "")
  if (!set.organisation.issuers.get("github")?.repositoryPolicies || !there || !event.ok) return []
  const grant = { name: "own", file: "", line: 1, connection: there, fields, ttlSeconds: 3600, minTtlSeconds: 120 }
  const conditions = [{ claim: "event_name", test: { kind: "any" as const, patterns: [event.value] } }]
  const { repository = "", repository_id: id = "", environment } = witness
  return [
    {
      file: "",
      issuer: "github",
      unit: repository,
      target: { kind: "unit", id },
      ...(environment === undefined ? {} : { environment }),
      origin: "repository",
      allow: [{ kind: "allow", name: "own", file: "", line: 1, grants: new Set(["own"]), conditions }],
      deny: [],
      grants: new Map([["own", grant]]),
    },
  ]
}

import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { decideSample, PROTECTIONS } from "../../../analysis/reach/sample-job.ts"
import type { Witness } from "../../../analysis/regions/region.ts"
import { type Scope, scopesOf } from "../../../analysis/scopes/scope.ts"
import { spaceFor } from "../../../analysis/scopes/scope-space.ts"
import type { WhoCanQuery } from "../../../analysis/who-can/model.ts"
import { whoCan } from "../../../analysis/who-can/who-can.ts"
import type { PolicySet } from "../../../broker/core/policy/model.ts"
import { fewest, runs } from "../../support/laws.ts"
import { CLOUDS, change, type DiffWorld, diffWorldOf, ISSUER, loadDiffWorld } from "../diff/world.ts"
import { must, pattern } from "../patterns.ts"

const ask = (world: DiffWorld, query: WhoCanQuery = {}) => whoCan(diffWorldOf(world), query, { providers: CLOUDS })
const isAllowed = (set: PolicySet, witness: Witness, grant: string) =>
  PROTECTIONS.some(
    (protection) => decideSample(set, { witness, issuer: "github", grant, protection })?.outcome === "allow",
  )

const main = { name: "main", when: { ref: "refs/heads/main" }, grants: ["deploy"] }
const shop = { repository: "acme/shop", repository_id: "41", environment: "production" }
const services = {
  repository: "acme/svc-*",
  environment: "production",
  allow: [main],
  grants: { deploy: { connection: "prod", role: `svc/\${repository_name}`, scopes: ["read", `\${repository_name}`] } },
}
const SERVICES: DiffWorld = { policies: { "services.yaml": services } }
const field = (key: string, text: string): WhoCanQuery => ({ fields: [{ key, pattern: pattern(text) }] })

describe("who can", () => {
  it.each([
    { query: field("role", "svc/svc-pay"), only: "acme/svc-pay" },
    { query: field("role", "svc/svc-p*"), only: "such as acme/svc-px" },
    { query: field("role", "**"), only: null },
    { query: field("scopes", "read"), only: null },
    { query: field("scopes", "svc-pay"), only: "acme/svc-pay" },
    { query: field("role", "svc/shop"), only: undefined },
    { query: field("tags", "read"), only: undefined },
    { query: { unit: pattern("acme/svc-pay") }, only: "acme/svc-pay" },
    { query: { unit: pattern("acme/shop") }, only: undefined },
    { query: { environment: "staging" }, only: undefined },
    { query: { connection: "dev" }, only: undefined },
  ])("knows which repositories of a pattern reach it: $only", ({ query, only }) => {
    const { rows } = ask(SERVICES, query)
    const found = rows.map((row) => row.only)
    expect(found).toEqual(only === undefined ? [] : [only])
    for (const { example } of rows) expect(isAllowed(diffWorldOf(SERVICES), example, "deploy")).toBe(true)
  })

  it("tells of a rule once, where its repositories are the scope", () => {
    const world = {
      policies: {
        ...SERVICES.policies,
        "wide.yaml": {
          repository: "acme/*",
          environment: "production",
          deny: [{ name: "no", when: { actor: "mallory" } }],
        },
      },
    }
    const { rows } = ask(world)
    expect(rows.map(({ subject, unless }) => [subject.unit, unless.map(({ name }) => name)])).toEqual([
      ["acme/svc-*", ["no"]],
    ])
  })

  it.each([
    { why: "denied", deny: { name: "no", when: { ref: "refs/heads/**" } }, boundaries: [] },
    {
      why: "ceiling",
      deny: { name: "no", when: { ref: "refs/tags/**" } },
      boundaries: [{ name: "all", when: { repository: "acme/*" }, allow: [{ connection: "dev" }] }],
    },
  ])("leaves out what is $why", ({ why, deny, boundaries }) => {
    const policy = { ...shop, allow: [main], deny: [deny], grants: { deploy: { connection: "prod" } } }
    const { rows, unreachable } = ask({ policies: { "shop.yaml": policy }, organisation: { boundaries } })
    expect(rows).toEqual([])
    expect(unreachable.map((one) => one.why)).toEqual([why])
  })

  it("says of each entry of a boundary what repositories could give themselves, and only where they may", () => {
    const boundaries = [
      {
        name: "all",
        when: { repository: "acme/*" },
        allow: [{ connection: "prod", role: "ci/*" }, { connection: "dev" }],
        max_ttl: "10m",
      },
    ]
    const world = (open: boolean): DiffWorld => ({
      policies: {},
      organisation: { boundaries, issuers: { github: { ...ISSUER, repository_policies: open } } },
    })
    expect(ask(world(false)).rows).toEqual([])
    expect(ask(world(true)).rows.map(({ resource, ttlSeconds }) => [resource, ttlSeconds])).toEqual([
      ["role ci/*", 600],
      ["anything", 600],
    ])
    expect(ask(world(true), field("role", "ci/x")).rows.map(({ resource }) => resource)).toEqual([
      "role ci/*",
      "anything",
    ])
    expect(ask(world(true), field("role", "cd/x")).rows.map(({ resource }) => resource)).toEqual(["anything"])
    expect(ask(world(true), { unit: pattern("umbrella/x") }).rows).toEqual([])
  })

  it("has a row for everybody who gets anything, and none for whom nobody is", () => {
    let [got, rowsSeen] = [0, 0]
    const pick = fc.array(fc.array(fc.nat({ max: 10_000 }), { minLength: 20, maxLength: 20 }), {
      minLength: 6,
      maxLength: 6,
    })
    fc.assert(
      fc.property(change, pick, ([world], picked) => {
        const set = loadDiffWorld(world)
        fc.pre(set !== null)
        if (set === null) return
        const { rows, unknown } = whoCan(set, {}, { providers: CLOUDS })
        expect(unknown).toEqual([])
        for (const { example, grant, proven } of rows) {
          if (grant === null) continue
          rowsSeen++
          expect(!proven || isAllowed(set, example, grant)).toBe(true)
        }
        for (const scope of scopesOf(set)) {
          const { axes } = must(spaceFor([{ scope, organisation: set.organisation }]))
          for (const choice of picked) {
            const point = Object.fromEntries(
              axes.flatMap(({ claim, values }, index): (readonly [string, string])[] => {
                const value = values[(choice[index] ?? 0) % values.length] ?? null
                return value === null ? [] : [[claim, value]]
              }),
            )
            for (const grant of ["deploy", "read"]) {
              if (!isAllowed(set, point, grant)) continue
              got++
              expect(rows.some((row) => row.grant === grant && isOf(row.subject, scope, point))).toBe(true)
            }
          }
        }
      }),
      { numRuns: runs(300) },
    )
    expect(Math.min(got, rowsSeen)).toBeGreaterThanOrEqual(fewest(60, 300))
  })
})

/** Whether a row's subject may be this job's: its own repository, or a pattern that its name could match. */
function isOf(
  subject: { readonly unitId: string | null; readonly environment?: string | null },
  scope: Scope,
  point: Witness,
) {
  const environment = scope.environment ?? null
  return subject.environment === environment && (subject.unitId === null || subject.unitId === point["repository_id"])
}

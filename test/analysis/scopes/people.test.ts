import { describe, expect, it } from "vitest"
import { isEmpty, type Witness, witness } from "../../../analysis/regions/region.ts"
import { regionsOfBoundary } from "../../../analysis/scopes/ceiling-region.ts"
import { meaningOfBoundary } from "../../../analysis/scopes/meaning.ts"
import { boundariesOver } from "../../../analysis/scopes/scope-space.ts"
import type { Boundary, IssuerConfig } from "../../../broker/core/policy/model.ts"
import { decideFor, reachesIn, worldOf } from "../world.ts"

const policy = {
  repository: "acme/shop",
  repository_id: "41",
  environment: "production",
  allow: [{ name: "a", grants: ["deploy"] }],
  grants: { deploy: { connection: "prod", role: "x" } },
}
const world = (people?: boolean, more: object = {}) =>
  worldOf({
    policies: [policy],
    boundaries: [
      {
        name: "b",
        when: { repository: "acme/shop" },
        allow: [{ connection: "prod", role: "y" }],
        ...(people === undefined ? {} : { people }),
        ...more,
      },
    ],
  })

/** Whether some job gets the grant, by the analysis and by the engine. */
function reached(set: ReturnType<typeof world>) {
  const [answer] = reachesIn(set)
  if (answer === undefined) throw new Error("the set has no scope")
  const [job] = answer.reaches.map(({ inside }) => witness(inside)).filter((one) => one !== null)
  const claims: Witness = witness(answer.survey.all) ?? {}
  return { analysis: job !== undefined, engine: decideFor(set, job ?? claims, "deploy").outcome === "allow", answer }
}

describe("a boundary for people", () => {
  it("is no ceiling of jobs, and one for jobs is one, as in the engine", () => {
    for (const [people, expected] of [
      [true, true],
      [false, false],
      [undefined, false],
    ] as const) {
      const { analysis, engine, answer } = reached(world(people))
      expect({ people, analysis, engine }).toEqual({ people, analysis: expected, engine: expected })
      expect(isEmpty(answer.survey.free)).toBe(people !== true)
    }
  })

  it("means something else than one that leaves the key out, so that a diff looks at it", () => {
    const meanings = [true, false, undefined].map((people) =>
      meaningOfBoundary(world(people).organisation.boundaries[0] as Boundary),
    )
    expect(new Set(meanings).size).toBe(3)
  })
})

describe("over a space of people, a boundary", () => {
  const staff: IssuerConfig = {
    name: "staff",
    family: "openid",
    url: "https://sso.example.com",
    owners: new Map([["sso.example.com", "https://sso.example.com"]]),
    repositoryPolicies: false,
  }
  it.each([
    [true, { concerns: true, allows: true, restricts: true }],
    [false, { concerns: false, allows: false, restricts: false }],
    [undefined, { concerns: true, allows: false, restricts: true }],
  ] as const)("with people: %s", (people, expected) => {
    const [answer] = reachesIn(world())
    if (answer === undefined) throw new Error("the set has no scope")
    const { space, scope } = answer.survey
    const when = [{ claim: "ref", test: { kind: "present", present: true } }] as const
    const boundary: Boundary = {
      name: "b",
      file: "daypass.yaml",
      line: 1,
      when,
      allow: [],
      require: [],
      ...(people === undefined ? {} : { people }),
    }
    const about = { ...scope, issuer: staff, names: [] }
    expect(boundariesOver(about, [boundary])).toHaveLength(expected.concerns ? 1 : 0)
    const found = regionsOfBoundary(space, boundary, about)
    if (!found.ok) throw new Error(found.fault.reason)
    const { concerns, allows, restricts } = found.value
    expect({ concerns: !isEmpty(concerns), allows: !isEmpty(allows), restricts: !isEmpty(restricts) }).toEqual(expected)
  })
})

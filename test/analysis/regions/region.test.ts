import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  boxRegion,
  contains,
  everything,
  intersect,
  isEmpty,
  isWithin,
  meets,
  narrowedBy,
  nothing,
  type Region,
  subtract,
  union,
  type Witness,
  witness,
} from "../../../analysis/regions/region.ts"
import { allValues, createSpace, type Space } from "../../../analysis/regions/space.ts"
import { regionOfConditions, regionOfRule } from "../../../analysis/scopes/rule-region.ts"
import { markedValues } from "../../../broker/core/families/cautions.ts"
import { GITHUB_ACTIONS } from "../../../broker/core/families/github-actions.ts"
import { type Condition, matchCondition } from "../../../broker/core/policy/condition.ts"
import { evaluateRule } from "../../../broker/core/policy/evaluate-rule.ts"
import { identityOf } from "../../core/policy/support.ts"
import { runs } from "../../support/laws.ts"
import { conditionOn, must, pattern } from "../patterns.ts"

const RUNS = { numRuns: runs(500) }
const CLAIMS = ["p", "q"]
const family = GITHUB_ACTIONS
const EVENT_CLAIM = "event_name"
const OUTSIDER_EVENTS = markedValues(family).flatMap(([, values]) => [...values.keys()])

/** Every identity of a space. */
function pointsOf({ axes }: Space): Witness[] {
  let points: Witness[] = [{}]
  for (const { claim, values } of axes) {
    points = points.flatMap((point) => values.map((value) => (value === null ? point : { ...point, [claim]: value })))
  }
  return points
}

const conditions = fc.array(conditionOn(...CLAIMS), { minLength: 1, maxLength: 3 })
const rules = fc.array(conditions, { minLength: 1, maxLength: 4 })
const any = (claim: string, ...sources: string[]): Condition => ({
  claim,
  test: { kind: "any", patterns: sources.map(pattern) },
})

/** A small space, without the outsiders' events to multiply its points. */
const spaceOf = (all: readonly Condition[]): Space =>
  must(createSpace({ family, conditions: all, domains: new Map([[EVENT_CLAIM, { present: "never" }]]) }))

describe("a space", () => {
  it("has values for all that its conditions tell apart, and a missing claim", () => {
    const space = spaceOf([any("ref", "refs/heads/*", "refs/heads/main")])
    expect(space.axes).toEqual([
      { claim: EVENT_CLAIM, values: [null] },
      { claim: "ref", values: ["x", "refs/heads/x", "refs/heads/main", null] },
    ])
  })

  it("tells every event apart that outsiders can cause", () => {
    const { axes } = must(createSpace({ family, conditions: [] }))
    expect(axes.map(({ claim }) => claim)).toEqual([EVENT_CLAIM])
    for (const event of OUTSIDER_EVENTS) expect(axes[0]?.values).toContain(event)
  })

  it("keeps to what is known of a claim", () => {
    const { axes } = must(
      createSpace({
        family,
        conditions: [any("a", "1", "2"), any("b", "1")],
        domains: new Map([
          ["a", { present: "always" }],
          ["b", { present: "never" }],
          ["c", { samples: ["c"] }],
        ]),
      }),
    )
    expect(axes.slice(0, 3)).toEqual([
      { claim: "a", values: ["x", "1", "2"] },
      { claim: "b", values: [null] },
      { claim: "c", values: ["c", null] },
    ])
  })

  it("names the claim that is too complex", () => {
    const made = createSpace({
      family,
      conditions: [any("ref", ...[..."abcdefghijklmnopqrst"].map((one) => `**${one}**`))],
    })
    expect(made).toEqual({
      ok: false,
      fault: { kind: "too_complex", reason: "ref: these patterns overlap in too many ways" },
    })
  })
})

describe("the region of conditions", () => {
  it.each(["allow", "deny"] as const)("has whom the engine matches in style of %s, and nobody else", (style) => {
    fc.assert(
      fc.property(conditions, (own) => {
        const space = spaceOf(own)
        const region = regionOfConditions(space, own, style)
        for (const point of pointsOf(space)) {
          expect(contains(region, point)).toBe(own.every((condition) => matchCondition(condition, style, point)))
        }
      }),
      RUNS,
    )
  })

  it("of an allow leaves out the events that outsiders can cause and that it does not name", () => {
    const event = (...sources: string[]) => ({ kind: "allow", conditions: [any(EVENT_CLAIM, ...sources)] }) as const
    for (const rule of [
      event("push", "pull_request", "pull_*"),
      event("**"),
      event("**", "issues"),
      { kind: "allow", conditions: [any("ref", "a")] } as const,
      { kind: "deny", conditions: [any("ref", "a")] } as const,
    ]) {
      const space = must(createSpace({ family, conditions: rule.conditions }))
      const region = regionOfRule(space, rule)
      for (const point of pointsOf(space)) {
        const bare = { ...identityOf({ event_name: point[EVENT_CLAIM] ?? "" }), claims: point }
        const full = { ...rule, name: "r", file: "f", line: 1, grants: "all" } as const
        expect(contains(region, point)).toBe(evaluateRule(full, bare).matched)
      }
    }
  })
})

describe("the algebra of regions", () => {
  const regionsOf = (space: Space, boxes: readonly (readonly Condition[])[]): Region =>
    must(
      union(
        space,
        boxes.map((own) => regionOfConditions(space, own, "allow")),
      ),
    )

  it("agrees with every single identity", () => {
    fc.assert(
      fc.property(rules, rules, (left, right) => {
        const space = spaceOf([...left.flat(), ...right.flat()])
        const [one, other] = [regionsOf(space, left), regionsOf(space, right)]
        const [both, either] = [must(intersect(one, other)), must(union(space, [one, other]))]
        const less = must(subtract(one, other))
        const points = pointsOf(space)
        for (const point of points) {
          const [a, b] = [contains(one, point), contains(other, point)]
          expect(contains(both, point)).toBe(a && b)
          expect(contains(either, point)).toBe(a || b)
          expect(contains(less, point)).toBe(a && !b)
        }
        for (const region of [one, both, either, less]) {
          const found = witness(region)
          expect(found === null).toBe(isEmpty(region))
          expect(isEmpty(region)).toBe(!points.some((point) => contains(region, point)))
          if (found !== null) expect(contains(region, found)).toBe(true)
        }
        expect(meets(one, other)).toBe(!isEmpty(both))
        expect(must(isWithin(one, other))).toBe(isEmpty(less))
        expect(must(isWithin(both, one))).toBe(true)
      }),
      RUNS,
    )
  })

  it("subtracts into boxes that do not overlap", () => {
    fc.assert(
      fc.property(conditions, rules, (one, others) => {
        const space = spaceOf([...one, ...others.flat()])
        const left = must(subtract(regionOfConditions(space, one, "deny"), regionsOf(space, others)))
        for (const point of pointsOf(space)) {
          const holding = left.boxes.filter((box) => contains({ space, boxes: [box] }, point))
          expect(holding.length).toBeLessThanOrEqual(1)
        }
      }),
      RUNS,
    )
  })

  it("knows all and nothing", () => {
    const space = spaceOf([any("p", "a")])
    expect(isEmpty(nothing(space))).toBe(true)
    expect(witness(nothing(space))).toBeNull()
    expect(witness(everything(space))).toEqual({ p: "x" })
    expect(isEmpty(must(subtract(everything(space), everything(space))))).toBe(true)
    expect(isEmpty(boxRegion(space, () => 0n))).toBe(true)
  })

  it("says which claims a box narrows, and to what", () => {
    const space = spaceOf([any("p", "a"), any("q", "b")])
    const [box] = regionOfConditions(space, [any("q", "b")], "allow").boxes
    if (!box) throw new Error("a box")
    expect(narrowedBy(space, box)).toEqual(new Map([["q", ["b"]]]))
  })

  it("says that it is too complex rather than give a part of the answer", () => {
    const claims = Array.from({ length: 14 }, (_, index) => `c${index}`)
    const space = spaceOf(claims.map((claim) => any(claim, "a", "b")))
    const halves = (source: string) =>
      claims.map((_, index) =>
        regionOfConditions(
          space,
          [claims[index], claims[(index + 1) % 14]].map((claim) => any(claim ?? "", source)),
          "allow",
        ),
      )
    const cut = subtract(everything(space), must(union(space, [...halves("a"), ...halves("b")])))
    expect(cut).toEqual({
      ok: false,
      fault: { kind: "too_complex", reason: "these rules cut each other in too many ways" },
    })
    expect(allValues({ claim: "x", values: ["a", null] })).toBe(3n)
  })
})

import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { diffPolicySets } from "../../../broker/core/analysis/diff.ts"
import { changedScopes } from "../../../broker/core/analysis/diff-scopes.ts"
import { GITHUB_CLAIMS } from "../../../broker/core/analysis/github-claims.ts"
import { contains, type Witness } from "../../../broker/core/analysis/region.ts"
import { getsMore } from "../../../broker/core/analysis/sample-job.ts"
import { scopesOf } from "../../../broker/core/analysis/scope.ts"
import { spaceFor } from "../../../broker/core/analysis/scope-space.ts"
import type { Space } from "../../../broker/core/analysis/space.ts"
import { CLOUDS, change, loadDiffWorld } from "./diff-world.ts"
import { must } from "./patterns.ts"

const RUNS = 2_000

describe("a diff", () => {
  const picks = fc.array(fc.array(fc.nat({ max: 10_000 }), { minLength: 20, maxLength: 20 }), {
    minLength: 12,
    maxLength: 12,
  })
  const pointOf = ({ axes }: Space, pick: readonly number[]): Witness =>
    Object.fromEntries(
      axes.flatMap(({ claim, values }, index): (readonly [string, string])[] => {
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
        const spaces = [old, next].flatMap((set) =>
          scopesOf(set).map((scope) => must(spaceFor([{ scope, organisation: set.organisation }], GITHUB_CLAIMS))),
        )
        const shared = changedScopes(old, next).map((pair) =>
          must(
            spaceFor(
              [pair.old, pair.next].filter((part) => part !== null),
              GITHUB_CLAIMS,
            ),
          ),
        )
        for (const space of [...spaces, ...shared]) {
          for (const point of picked.map((pick) => pointOf(space, pick))) {
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
      { numRuns: RUNS },
    )
    console.log(seen)
    expect(Math.min(...Object.values(seen))).toBeGreaterThanOrEqual(0)
  }, 600_000)
})

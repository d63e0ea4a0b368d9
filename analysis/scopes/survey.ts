import type { Policy, Rule } from "../../broker/core/policy/model.ts"
import type { Result } from "../../broker/core/result.ts"
import { intersect, type Region, subtract, union } from "../regions/region.ts"
import type { Space } from "../regions/space.ts"
import { attempt, type TooComplex } from "../regions/too-complex.ts"
import { type BoundaryRegions, regionsOfBoundary } from "./ceiling-region.ts"
import { regionOfRule } from "./rule-region.ts"
import type { Scope } from "./scope.ts"
import { boundariesOver, regionOfScope, regionOfTarget, type ScopePart } from "./scope-space.ts"

/** A scope as regions of a space: its jobs, the jobs of each policy and rule, and the boundaries that cover them. */
export interface Survey {
  readonly scope: Scope
  readonly space: Space
  /** Every identity of the scope. */
  readonly all: Region
  /** The jobs whose repository no boundary covers. */
  readonly free: Region
  readonly ceiling: readonly BoundaryRegions[]
  /** By policy, the identities to which it applies. */
  readonly applies: ReadonlyMap<Policy, Region>
  readonly rules: readonly RuleRegion[]
}

/** A rule, and the jobs that it matches. */
export interface RuleRegion {
  readonly policy: Policy
  readonly rule: Rule
  readonly region: Region
}

/** Computes the regions of a scope. The space must be `spaceFor` of this part, or of this and further parts. */
export function surveyOf({ scope, organisation }: ScopePart, space: Space): Result<Survey, TooComplex> {
  return attempt((must) => {
    const over = boundariesOver(scope, organisation.boundaries)
    const ceiling = over.map((boundary) => must(regionsOfBoundary(space, boundary, scope)))
    const all = must(regionOfScope(space, scope))
    const concerned = must(
      union(
        space,
        ceiling.map(({ concerns }) => concerns),
      ),
    )
    const below = must(intersect(all, concerned))
    const applies = new Map(
      scope.policies.map((policy) => {
        // A policy that a repository keeps for itself counts only below a boundary.
        const open = policy.origin === "organisation" ? all : below
        return [policy, must(intersect(open, regionOfTarget(space, policy.target)))] as const
      }),
    )
    const rules = [...applies].flatMap(([policy, region]) =>
      [...policy.allow, ...policy.deny].map((rule): RuleRegion => {
        return { policy, rule, region: must(intersect(region, regionOfRule(space, rule))) }
      }),
    )
    return { scope, space, all, free: must(subtract(all, concerned)), ceiling, applies, rules }
  })
}

/** The rules of one kind that apply to a grant. */
export function rulesFor({ rules }: Survey, kind: Rule["kind"], grant: string): readonly RuleRegion[] {
  return rules.filter(({ rule }) => rule.kind === kind && (rule.grants === "all" || rule.grants.has(grant)))
}

/** The jobs to which a deny refuses a grant. */
export function deniedOf(survey: Survey, grant: string): Result<Region, TooComplex> {
  return union(
    survey.space,
    rulesFor(survey, "deny", grant).map(({ region }) => region),
  )
}

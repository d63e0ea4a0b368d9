import type { EnvironmentDemand } from "../../broker/core/policy/environment-protection.ts"
import type { Boundary, Grant, Policy } from "../../broker/core/policy/model.ts"
import { fieldsFor } from "../../broker/core/policy/template.ts"
import type { Result } from "../../broker/core/result.ts"
import { intersect, isEmpty, meets, nothing, type Region, subtract, union } from "../regions/region.ts"
import type { Space } from "../regions/space.ts"
import { attempt, type Must, type TooComplex } from "../regions/too-complex.ts"
import { bareIdentity } from "../scopes/bare-identity.ts"
import type { BoundaryRegions } from "../scopes/ceiling-region.ts"
import type { Scope } from "../scopes/scope.ts"
import type { ScopePart } from "../scopes/scope-space.ts"
import { deniedOf, rulesFor, type Survey, surveyOf } from "../scopes/survey.ts"
import { axisOf, regionOfEntry, regionOfFillable, regionOfFilled } from "../scopes/template-region.ts"

/** Exactly which jobs of a scope get a grant, for all identities at once. */
export interface Reach {
  readonly scope: Scope
  readonly grant: Grant
  /** The policy that defines the grant. */
  readonly policy: Policy
  /** The jobs that the policies admit, before the ceiling is applied. */
  readonly admitted: Region
  /** The admitted jobs that get the grant, if their environment is protected as demanded. */
  readonly inside: Region
  /** The admitted jobs that are refused, because the grant would be outside the ceiling. */
  readonly outside: Region
  /** Admitted jobs with neither proven: several claims fill one text, or a provider rewrites it. Usually empty. */
  readonly unproven: Region
  /** Why the ceiling refuses the jobs outside. Each of them is in at least one. */
  readonly refusals: readonly CeilingRefusal[]
  /** How the environment of the jobs inside must be protected. */
  readonly demands: readonly SourcedDemand[]
  /** The longest lifetime that a job inside can get. Zero when there is none. */
  readonly maxTtlSeconds: number
}

/**
 * Why the ceiling refuses a part of the admitted jobs. `not-allowed`: no boundary allows the grant; `boundaries` cover the
 * repository. `requirement`: the jobs do not meet what these boundaries require. `lifetime`: they allow less than the
 * provider's shortest lifetime. `no-environment`: these boundaries, or a policy if there are none, demand a protected
 * environment, and the jobs run in no environment.
 */
export interface CeilingRefusal {
  readonly why: "not-allowed" | "requirement" | "lifetime" | "no-environment"
  readonly boundaries: readonly Boundary[]
  readonly region: Region
}

/** A demand on the environment, the boundary or policy it comes from, and the jobs that it applies to. */
export interface SourcedDemand {
  readonly demand: EnvironmentDemand
  readonly file: string
  /** The name of the boundary; absent for a policy's demand. */
  readonly boundary?: string
  readonly region: Region
}

/** The names of all grants that a scope's policies define, in order. */
export const grantNamesOf = ({ policies }: Pick<Scope, "policies">): readonly string[] => [
  ...new Set(policies.flatMap(({ grants }) => [...grants.keys()])),
]

/**
 * Which jobs of a scope can get a grant of this name: one result for each policy that defines it. A job for which two
 * policies define it is in no result, because the broker refuses an ambiguous grant.
 *
 * The broker's engine decides each value of each claim, so the result cannot drift from the broker. One exception: the
 * provider's schema is not asked about texts with open gaps, so a job whose filled-in text it refuses counts as admitted.
 */
export function reachesBy(survey: Survey, name: string): Result<readonly Reach[], TooComplex> {
  return attempt((must) => {
    const { scope, space, applies } = survey
    const allowed = must(
      union(
        space,
        rulesFor(survey, "allow", name).map(({ region }) => region),
      ),
    )
    const ruled = must(subtract(allowed, must(deniedOf(survey, name))))
    return scope.policies.flatMap((policy): Reach[] => {
      const grant = policy.grants.get(name)
      if (grant === undefined) return []
      const others = [...applies].flatMap(([other, region]) =>
        other !== policy && other.grants.has(name) ? [region] : [],
      )
      const defined = must(subtract(applies.get(policy) ?? nothing(space), must(union(space, others))))
      const closed = closedGrant(grant, scope)
      const fillable = closed === null ? nothing(space) : regionOfFillable(space, closed)
      const filled = must(intersect(fillable, regionOfFilled(space, grant, scope.issuer.url)))
      const admitted = must(intersect(must(intersect(ruled, defined)), filled))
      return [reachOf({ ...survey, policy, grant: closed ?? grant, admitted }, must)]
    })
  })
}

/** The same, for callers that need nothing else about the scope. */
export function reachesOf(part: ScopePart, name: string, space: Space): Result<readonly Reach[], TooComplex> {
  const survey = surveyOf(part, space)
  return survey.ok ? reachesBy(survey.value, name) : survey
}

/** One definition of a grant, and the jobs that the policies admit to it. */
interface Admission extends Survey {
  readonly policy: Policy
  readonly grant: Grant
  readonly admitted: Region
}

function reachOf(admission: Admission, must: Must): Reach {
  const { scope, policy, grant, ceiling, admitted, free, space } = admission
  const allowed = allowedBy(admission, must)
  const barring = barringOf(admission, must)
  const barred = must(
    union(
      space,
      barring.map(({ region }) => region),
    ),
  )
  const sure = must(subtract(must(union(space, [allowed.sure, free])), barred))
  const possible = must(subtract(must(union(space, [allowed.possible, free])), barred))
  const inside = must(intersect(admitted, sure))
  const unproven = must(subtract(must(intersect(admitted, possible)), sure))
  const unallowed = must(subtract(must(subtract(admitted, allowed.possible)), free))
  const over = ceiling.filter(({ concerns }) => meets(concerns, unallowed)).map(({ boundary }) => boundary)
  const refusals: CeilingRefusal[] = [
    { why: "not-allowed" as const, boundaries: over, region: unallowed },
    ...barring,
  ].filter(({ region }) => !isEmpty(region))
  return {
    scope,
    grant,
    policy,
    admitted,
    inside,
    outside: must(subtract(admitted, possible)),
    unproven,
    refusals,
    demands: demandsOn(admission, inside, must),
    maxTtlSeconds: longestTtl(grant, ceiling, inside, must),
  }
}

/** The jobs to which some boundary allows the grant. */
function allowedBy({ space, ceiling, grant, scope }: Admission, must: Must): { sure: Region; possible: Region } {
  const [sure, possible]: [Region[], Region[]] = [[], []]
  for (const { boundary, allows } of ceiling) {
    for (const entry of boundary.allow) {
      const contained = must(regionOfEntry(space, entry, grant, scope))
      sure.push(must(intersect(allows, contained.sure)))
      possible.push(must(intersect(allows, contained.possible)))
    }
  }
  return { sure: must(union(space, sure)), possible: must(union(space, possible)) }
}

/** The admitted jobs that boundaries and policies refuse for another reason than a missing allowance. */
function barringOf({ ceiling, grant, scope, admitted, applies }: Admission, must: Must): readonly CeilingRefusal[] {
  const inNone = scope.environment === undefined
  const barring = ceiling.flatMap(({ boundary, violates, restricts }) => {
    const refusals = [{ why: "requirement" as const, boundaries: [boundary], region: violates }]
    const bar = (why: "lifetime" | "no-environment") => ({ why, boundaries: [boundary], region: restricts })
    const tooShort = (boundary.maxTtlSeconds ?? Infinity) < grant.minTtlSeconds
    const unprotected = inNone && boundary.protectedEnvironment !== undefined
    return [...refusals, ...(tooShort ? [bar("lifetime")] : []), ...(unprotected ? [bar("no-environment")] : [])]
  })
  const demanding = [...applies].flatMap(([{ protectedEnvironment }, region]) =>
    inNone && protectedEnvironment ? [{ why: "no-environment" as const, boundaries: [], region }] : [],
  )
  return [...barring, ...demanding].map((one) => ({ ...one, region: must(intersect(admitted, one.region)) }))
}

function demandsOn({ ceiling, applies }: Admission, inside: Region, must: Must): readonly SourcedDemand[] {
  const ofBoundaries = ceiling.map(({ boundary: { name, file, protectedEnvironment }, restricts }) => ({
    demand: protectedEnvironment,
    file,
    boundary: name,
    region: restricts,
  }))
  const ofPolicies = [...applies].map(([{ file, protectedEnvironment }, region]) => ({
    demand: protectedEnvironment,
    file,
    region,
  }))
  return [...ofPolicies, ...ofBoundaries].flatMap(({ demand, ...source }) => {
    if (demand === undefined) return []
    const region = must(intersect(inside, source.region))
    return isEmpty(region) ? [] : [{ ...source, demand, region }]
  })
}

/** Removes the jobs that each limit applies to, the lowest limit first. The limit that removes the last job is the result. */
function longestTtl(grant: Grant, ceiling: readonly BoundaryRegions[], inside: Region, must: Must): number {
  if (isEmpty(inside)) return 0
  const limits = ceiling.flatMap(({ boundary: { maxTtlSeconds }, restricts }) =>
    maxTtlSeconds === undefined || maxTtlSeconds >= grant.ttlSeconds ? [] : [{ maxTtlSeconds, restricts }],
  )
  let left = inside
  for (const { maxTtlSeconds, restricts } of limits.toSorted((a, b) => a.maxTtlSeconds - b.maxTtlSeconds)) {
    left = must(subtract(left, restricts))
    if (isEmpty(left)) return maxTtlSeconds
  }
  return grant.ttlSeconds
}

/** The grant with its gaps filled, if the scope fixes their claims; null if the provider refuses the filled-in text. */
function closedGrant(grant: Grant, { pinned }: Scope): Grant | null {
  const { template, ...rest } = grant
  if (template === undefined || !template.claims.every((claim) => pinned.has(axisOf(claim)))) return grant
  const fields = fieldsFor(grant, bareIdentity(Object.fromEntries(pinned), pinned.get("repository") ?? ""))
  return fields.ok ? { ...rest, fields: fields.value } : null
}

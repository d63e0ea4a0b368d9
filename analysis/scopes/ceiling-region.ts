import { isCautionClaim } from "../../broker/core/families/cautions.ts"
import { factsOf, isForeignUnitClaim, isUnitClaim } from "../../broker/core/families/families.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import { namesIn } from "../../broker/core/policy/job-readings.ts"
import type { Boundary, IssuerConfig } from "../../broker/core/policy/model.ts"
import type { Result } from "../../broker/core/result.ts"
import { boxRegion, intersect, nothing, type Region, subtract, union } from "../regions/region.ts"
import { allValues, type Space, valuesThat } from "../regions/space.ts"
import { attempt, type Must, type TooComplex } from "../regions/too-complex.ts"
import { aliasesOf, ownerNames } from "./owner-names.ts"
import { regionOfConditions } from "./rule-region.ts"
import { ownerIdClaim } from "./unit-claims.ts"

/** How one boundary applies to all identities of a space. */
export interface BoundaryRegions {
  readonly boundary: Boundary
  /** The jobs whose unit it covers. Each of them needs a boundary that allows the grant. */
  readonly concerns: Region
  /** The jobs that may get what it allows. */
  readonly allows: Region
  /** The jobs that must meet its `require`, and to which its other limits apply. */
  readonly restricts: Region
  /** The restricted jobs that do not meet its `require`. */
  readonly violates: Region
}

/** Further names by which boundaries match a job's unit, besides the claims of its token. */
export interface OtherNames {
  /** The names that policies write for the scope's unit; empty for a scope of many units. */
  readonly names: readonly string[]
  /** The issuer whose owners have the names in the organisation file. */
  readonly issuer: IssuerConfig | null
}

/** How a boundary applies to all identities of a space, by the token's claims and by all other names of the unit. */
export function regionsOfBoundary(
  space: Space,
  boundary: Boundary,
  others: OtherNames,
): Result<BoundaryRegions, TooComplex> {
  return attempt((must) => {
    const { when, require } = boundary
    const { name: family } = space.family
    const people = isOfPeople(others.issuer)
    if (boundary.people !== undefined && boundary.people !== people) return ofNobody(space, boundary)
    // It is about jobs of other issuers: no token of this family has such a claim.
    if (when.some(({ claim }) => isForeignUnitClaim(family, claim))) return ofNobody(space, boundary)
    const unit = when.filter(({ claim }) => isUnitClaim(family, claim))
    const restricts = must(union(space, knownAs(space, when, others, must)))
    return {
      boundary,
      concerns: must(union(space, knownAs(space, unit, others, must))),
      allows: (boundary.people === true) === people ? regionOfConditions(space, when, "allow") : nothing(space),
      restricts,
      violates: must(subtract(restricts, regionOfConditions(space, require, "allow"))),
    }
  })
}

/** Whether an issuer's tokens are of people, and not of jobs. */
export const isOfPeople = (issuer: Pick<IssuerConfig, "family"> | null): boolean =>
  issuer !== null && factsOf(issuer.family).unit === "person"

/** A boundary for people over a space of jobs, or the other way round. */
function ofNobody(space: Space, boundary: Boundary): BoundaryRegions {
  const none = nothing(space)
  return { boundary, concerns: none, allows: none, restricts: none, violates: none }
}

/** The jobs that meet every condition in the style of a deny, by any name. Each condition may match by another name, as in the engine. */
function knownAs(
  space: Space,
  conditions: readonly Condition[],
  { names, issuer }: OtherNames,
  must: Must,
): readonly Region[] {
  const { roles } = space.family
  const idClaim = ownerIdClaim(space.family)
  const named = new Set(roles.unit === undefined ? [] : [roles.unit, roles.owner])
  const written = (condition: Condition) =>
    names.some((name) => matchCondition(condition, "deny", namesIn(roles, name)))
  const region = (ownerId: string | null, owners: readonly string[]) =>
    boxRegion(space, (axis) => {
      const own = conditions.filter(({ claim }) => claim === axis.claim && !isCautionClaim(claim))
      if (own.length === 0 && (ownerId === null || axis.claim !== idClaim)) return allValues(axis)
      return valuesThat(axis, (claims) => {
        if (ownerId !== null && axis.claim === idClaim && claims[axis.claim] !== ownerId) return false
        const listed = aliasesOf(roles, claims, axis.claim, owners)
        return own.every(
          (one) =>
            matchCondition(one, "deny", claims) ||
            (named.has(one.claim) && written(one)) ||
            listed.some((name) => matchCondition(one, "deny", { [one.claim]: name })),
        )
      })
    })
  const byOwner = ownerNames(issuer, names).map(({ id, owners }) => region(id, owners))
  const cautious = conditions.filter(({ claim }) => isCautionClaim(claim))
  if (cautious.length === 0) return [region(null, []), ...byOwner]
  const met = regionOfConditions(space, cautious, "deny")
  return [region(null, []), ...byOwner].map((one) => must(intersect(one, met)))
}

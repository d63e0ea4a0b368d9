import { factsOf, isUnitClaim } from "../../broker/core/families/families.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { Boundary, IssuerConfig } from "../../broker/core/policy/model.ts"
import type { Result } from "../../broker/core/result.ts"
import { boxRegion, nothing, type Region, subtract, union } from "../regions/region.ts"
import { type Space, valuesThat } from "../regions/space.ts"
import { attempt, type TooComplex } from "../regions/too-complex.ts"
import { aliasesOf, ownerNames } from "./owner-names.ts"
import { regionOfConditions } from "./rule-region.ts"
import { ownerOf } from "./scope.ts"

/** How one boundary applies to all identities of a space. */
export interface BoundaryRegions {
  readonly boundary: Boundary
  /** The jobs whose repository it covers. Each of them needs a boundary that allows the grant. */
  readonly concerns: Region
  /** The jobs that may get what it allows. */
  readonly allows: Region
  /** The jobs that must meet its `require`, and to which its other limits apply. */
  readonly restricts: Region
  /** The restricted jobs that do not meet its `require`. */
  readonly violates: Region
}

/** Further names by which boundaries match a job's repository, besides the claims of its token. */
export interface OtherNames {
  /** The names that policies write for the scope's repository; empty for a scope of many repositories. */
  readonly names: readonly string[]
  /** The issuer whose owners have the names in the organisation file. */
  readonly issuer: IssuerConfig | null
}

/** How a boundary applies to all identities of a space, by the token's claims and by all other names of the repository. */
export function regionsOfBoundary(
  space: Space,
  boundary: Boundary,
  others: OtherNames,
): Result<BoundaryRegions, TooComplex> {
  return attempt((must) => {
    const { when, require } = boundary
    const people = isOfPeople(others.issuer)
    if (boundary.people !== undefined && boundary.people !== people) return ofNobody(space, boundary)
    const unit = when.filter(({ claim }) => isUnitClaim("github-actions", claim))
    const restricts = must(union(space, knownAs(space, when, others)))
    return {
      boundary,
      concerns: must(union(space, knownAs(space, unit, others))),
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
function knownAs(space: Space, conditions: readonly Condition[], { names, issuer }: OtherNames): readonly Region[] {
  const written = (condition: Condition) =>
    names.some((name) => matchCondition(condition, "deny", { repository: name, repository_owner: ownerOf(name) }))
  const region = (ownerId: string | null, owners: readonly string[]) =>
    boxRegion(space, (axis) => {
      const own = conditions.filter(({ claim }) => claim === axis.claim)
      return valuesThat(axis, (claims) => {
        if (ownerId !== null && axis.claim === "repository_owner_id" && claims[axis.claim] !== ownerId) return false
        const listed = aliasesOf(claims, axis.claim, owners)
        return own.every(
          (one) =>
            matchCondition(one, "deny", claims) ||
            (NAMED.has(one.claim) && written(one)) ||
            listed.some((name) => matchCondition(one, "deny", { [one.claim]: name })),
        )
      })
    })
  const byOwner = ownerNames(issuer, names).map(({ id, owners }) => region(id, owners))
  return [region(null, []), ...byOwner]
}

const NAMED: ReadonlySet<string> = new Set(["repository", "repository_owner"])

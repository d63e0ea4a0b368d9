import { isRepositoryClaim } from "../../broker/core/claims/families.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { Boundary, IssuerConfig } from "../../broker/core/policy/model.ts"
import type { Result } from "../../broker/core/result.ts"
import { boxRegion, type Region, subtract, union } from "../regions/region.ts"
import { type Space, valuesThat } from "../regions/space.ts"
import { attempt, type TooComplex } from "../regions/too-complex.ts"
import { aliasesOf, ownerNames } from "./owner-names.ts"
import { regionOfConditions } from "./rule-region.ts"
import { ownerOf } from "./scope.ts"

/** How one boundary stands to every identity of a space. */
export interface BoundaryRegions {
  readonly boundary: Boundary
  /** Over whose repository it is: none of these gets anything that no boundary allows. */
  readonly concerns: Region
  /** Who may get what it allows. */
  readonly allows: Region
  /** Who must fulfil what it requires, and is held to its other limits. */
  readonly restricts: Region
  /** Who of them does not fulfil it. */
  readonly violates: Region
}

/** By what else than its token's claims a job's repository is held against the boundaries. */
export interface OtherNames {
  /** What policies call the scope's repository; empty for a scope of many. */
  readonly names: readonly string[]
  /** Whose owners go by the names that the organisation lists. */
  readonly issuer: IssuerConfig | null
}

/** How a boundary stands to every identity of a space, by its token's claims and by all other names of its repository. */
export function regionsOfBoundary(
  space: Space,
  boundary: Boundary,
  others: OtherNames,
): Result<BoundaryRegions, TooComplex> {
  return attempt((must) => {
    const { when, require } = boundary
    const repository = when.filter(({ claim }) => isRepositoryClaim(claim))
    const restricts = must(union(space, knownAs(space, when, others)))
    return {
      boundary,
      concerns: must(union(space, knownAs(space, repository, others))),
      allows: regionOfConditions(space, when, "allow"),
      restricts,
      violates: must(subtract(restricts, regionOfConditions(space, require, "allow"))),
    }
  })
}

/** Whoever fulfils each of the conditions in the style of a deny, by some name: the engine takes them one by one, too. */
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

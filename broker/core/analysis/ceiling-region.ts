import { isRepositoryClaim } from "../policy/ceiling.ts"
import { type Condition, matchCondition } from "../policy/condition.ts"
import type { Boundary } from "../policy/model.ts"
import type { Result } from "../result.ts"
import { type Region, subtract, union } from "./region.ts"
import { regionOfConditions } from "./rule-region.ts"
import type { Space } from "./space.ts"
import { attempt, type TooComplex } from "./too-complex.ts"

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

/** `names`: what else policies call the scope's repository, by which it is held against the boundaries, too. */
export function regionsOfBoundary(
  space: Space,
  boundary: Boundary,
  names: readonly string[],
): Result<BoundaryRegions, TooComplex> {
  return attempt((must) => {
    const { when, require } = boundary
    const repository = when.filter(({ claim }) => isRepositoryClaim(claim))
    const restricts = must(union(space, knownAs(space, when, names)))
    return {
      boundary,
      concerns: must(union(space, knownAs(space, repository, names))),
      allows: regionOfConditions(space, when, "allow"),
      restricts,
      violates: must(subtract(restricts, regionOfConditions(space, require, "allow"))),
    }
  })
}

/** Whoever fulfils the conditions in the style of a deny, by the name in the token or by any other of the repository's. */
function knownAs(space: Space, conditions: readonly Condition[], names: readonly string[]): readonly Region[] {
  const [ofName, others] = [
    conditions.filter(({ claim }) => claim === "repository"),
    conditions.filter(({ claim }) => claim !== "repository"),
  ]
  const isNamed = names.some((repository) => ofName.every((one) => matchCondition(one, "deny", { repository })))
  return [
    regionOfConditions(space, conditions, "deny"),
    ...(isNamed ? [regionOfConditions(space, others, "deny")] : []),
  ]
}

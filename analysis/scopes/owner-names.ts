import type { ClaimRoles } from "../../broker/core/families/family-facts.ts"
import { type Claims, ownerOf, shortName } from "../../broker/core/identity.ts"
import type { Boundary, IssuerConfig } from "../../broker/core/policy/model.ts"
import { between, followedBy, type Language, languageOfPattern, languageOfText } from "../regions/language.ts"
import { familyOf, ownerIdClaim } from "./unit-claims.ts"

// Boundaries match a unit also by every name that the organisation file lists for its owner's id, so a renamed owner
// stays below its ceiling. If each owner is listed only by the name in its tokens, this makes no difference.

/** An owner's id, and the names by which boundaries match it. */
export interface OwnerNames {
  readonly id: string
  readonly owners: readonly string[]
}

/**
 * The owners whose units boundaries may match by a name that differs from their tokens: owners with several names, and all
 * owners if a policy writes a scope's unit with an unlisted one, or if names do not begin with the owner's.
 */
export function ownerNames(issuer: IssuerConfig | null, written: readonly string[]): readonly OwnerNames[] {
  const family = familyOf(issuer)
  const { roles, patterns } = family
  // Without a claim for names, the token alone decides; an issuer that owns its units is no part of their names.
  if (roles.unit === undefined || ownerIdClaim(family) === undefined) return []
  const owners = issuer?.owners ?? new Map<string, string>()
  const isUnlisted = !patterns || written.some((name) => !owners.has(ownerOf(name)))
  return [...new Set(owners.values())].flatMap((id): OwnerNames[] => {
    const names = [...owners].flatMap(([name, other]) => (other === id ? [name] : []))
    return names.length > 1 || isUnlisted ? [{ id, owners: names }] : []
  })
}

/** Further values of a claim about the unit, with each of these names in place of the owner's. */
export function aliasesOf(
  roles: ClaimRoles,
  claims: Claims,
  claim: string,
  owners: readonly string[],
): readonly string[] {
  if (claim === roles.owner) return owners
  const unit = claim === roles.unit ? claims[claim] : undefined
  return typeof unit === "string" ? owners.map((owner) => `${owner}/${shortName(unit)}`) : []
}

/** Languages that a space must distinguish, so that boundaries can match the units of an owner by each of its names. */
export function aliasLanguages(
  boundaries: readonly Boundary[],
  issuer: IssuerConfig | null,
  ownersInTokens: readonly string[],
): readonly Language[] {
  const { unit } = familyOf(issuer).roles
  const aliases = ownerNames(issuer, []).flatMap(({ owners }) => owners)
  const patterns = boundaries.flatMap(({ when }) =>
    when.flatMap(({ claim, test }) => (claim === unit && test.kind !== "present" ? test.patterns : [])),
  )
  return aliases.flatMap((alias) =>
    ownersInTokens.flatMap((owner) =>
      patterns.map((pattern) =>
        followedBy(languageOfText(`${owner}/`), between(`${alias}/`, languageOfPattern(pattern), "")),
      ),
    ),
  )
}

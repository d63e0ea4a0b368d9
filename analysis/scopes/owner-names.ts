import { type Claims, shortName } from "../../broker/core/identity.ts"
import type { Boundary, IssuerConfig } from "../../broker/core/policy/model.ts"
import { between, followedBy, type Language, languageOfPattern, languageOfText } from "../regions/language.ts"

// Boundaries match a repository also by every name that the organisation file lists for its owner's id, so a renamed owner
// stays below its ceiling. If each owner is listed only by the name in its tokens, this makes no difference.

/** An owner's id, and the names by which boundaries match it. */
export interface OwnerNames {
  readonly id: string
  readonly owners: readonly string[]
}

/**
 * The owners whose repositories boundaries may match by a name that differs from their tokens: owners with several names,
 * and, if a policy writes a scope's repository with an unlisted owner, all owners.
 */
export function ownerNames(issuer: IssuerConfig | null, written: readonly string[]): readonly OwnerNames[] {
  const owners = issuer?.owners ?? new Map<string, string>()
  const isUnlisted = written.some((name) => !owners.has(name.slice(0, name.indexOf("/"))))
  return [...new Set(owners.values())].flatMap((id): OwnerNames[] => {
    const names = [...owners].flatMap(([name, other]) => (other === id ? [name] : []))
    return names.length > 1 || isUnlisted ? [{ id, owners: names }] : []
  })
}

/** Further values of a repository claim, with each of these names in place of the owner's. */
export function aliasesOf(claims: Claims, claim: string, owners: readonly string[]): readonly string[] {
  if (claim === "repository_owner") return owners
  const unit = claim === "repository" ? claims["repository"] : undefined
  return typeof unit === "string" ? owners.map((owner) => `${owner}/${shortName(unit)}`) : []
}

/** Languages that a space must distinguish, so that boundaries can match the repositories of an owner by each of its names. */
export function aliasLanguages(
  boundaries: readonly Boundary[],
  issuer: IssuerConfig | null,
  ownersInTokens: readonly string[],
): readonly Language[] {
  const aliases = ownerNames(issuer, []).flatMap(({ owners }) => owners)
  const patterns = boundaries.flatMap(({ when }) =>
    when.flatMap(({ claim, test }) => (claim === "repository" && test.kind !== "present" ? test.patterns : [])),
  )
  return aliases.flatMap((alias) =>
    ownersInTokens.flatMap((owner) =>
      patterns.map((pattern) =>
        followedBy(languageOfText(`${owner}/`), between(`${alias}/`, languageOfPattern(pattern), "")),
      ),
    ),
  )
}

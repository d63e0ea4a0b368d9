import { type Claims, repositoryName } from "../../broker/core/identity.ts"
import type { Boundary, IssuerConfig } from "../../broker/core/policy/model.ts"
import { between, followedBy, type Language, languageOfPattern, languageOfText } from "../regions/language.ts"

// A repository is held against the boundaries by every name that the organisation lists for its owner's id, too: an owner
// that was renamed stays below its ceiling. Where each owner is listed by the one name that tokens carry, that says nothing new.

/** An owner, and the names that a ceiling knows it by. */
export interface OwnerNames {
  readonly id: string
  readonly owners: readonly string[]
}

/**
 * The owners whose repositories may be held against the boundaries by another owner's name than their tokens say: those of
 * several names, and, where a scope's repository is written by a name that is not listed, all of them.
 */
export function ownerNames(issuer: IssuerConfig | null, written: readonly string[]): readonly OwnerNames[] {
  const owners = issuer?.owners ?? new Map<string, string>()
  const isUnlisted = written.some((name) => !owners.has(name.slice(0, name.indexOf("/"))))
  return [...new Set(owners.values())].flatMap((id): OwnerNames[] => {
    const names = [...owners].flatMap(([name, other]) => (other === id ? [name] : []))
    return names.length > 1 || isUnlisted ? [{ id, owners: names }] : []
  })
}

/** What else one claim of a repository could be, with these names in place of its owner's. */
export function aliasesOf(claims: Claims, claim: string, owners: readonly string[]): readonly string[] {
  if (claim === "repository_owner") return owners
  const repository = claim === "repository" ? claims["repository"] : undefined
  return typeof repository === "string" ? owners.map((owner) => `${owner}/${repositoryName(repository)}`) : []
}

/** What repositories of an owner of several names must be told apart by, so that each name of theirs can be held against the boundaries. */
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

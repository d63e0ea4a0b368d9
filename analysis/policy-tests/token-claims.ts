import { claimFact, factsOf } from "../../broker/core/families/families.ts"
import type { FamilyFacts, TextForm } from "../../broker/core/families/family-facts.ts"
import { type Claims, type ClaimValue, ownerOf } from "../../broker/core/identity.ts"
import type { FamilySamples, Sample } from "./sample.ts"

/** Looks up ids by the names in a policy folder. */
export interface KnownIds {
  /** The id that the organisation file lists for an owner. */
  owner(name: string): string | undefined
  /** The id that the policies have for a unit, if they all have the same one. */
  unit(name: string): string | undefined
}

/** Stand for an id that a policy folder does not know: the largest of each form, which no issuer has given out. */
const UNUSED_IDS: readonly string[] = [
  "99999999999999999999",
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
  "{ffffffff-ffff-ffff-ffff-ffffffffffff}",
  "org-99999999999999999999",
]

/** An id of a form that no policy can know. */
export const unusedId = (form: TextForm, longest?: string): string =>
  UNUSED_IDS.find((id) => form.pattern.test(id)) ?? longest ?? ""

/** The id of a unit that no policy can know. */
export const unusedUnitId = ({ unitId }: FamilyFacts): string => unusedId(unitId, unitId.longest)

/** The claim by which a test says whose job it is. Where policies need no name, the id says it. */
export const unitClaimOf = ({ roles, unitName }: FamilyFacts): string =>
  unitName === undefined ? roles.unitId : (roles.unit ?? roles.unitId)

/** By claim: the claims that depend on it, and that a test must not inherit when it changes that claim. */
export function followersOf(facts: FamilyFacts, claim: string): readonly string[] {
  const { unit, unitId, owner, ownerId } = facts.roles
  const all = claim === unit ? [unitId, owner, ownerId] : claim === owner ? [ownerId] : []
  return all.filter((one) => one !== undefined && one !== claim) as string[]
}

/**
 * The claims of a token: those of the sample, with the test's changes and omissions. Claims that depend on others are made
 * as the issuer makes them. A claim that the test sets itself is never made.
 */
export function tokenClaims(
  { family, follows, goesWith, outdated, token }: FamilySamples,
  sample: Sample,
  changes: Readonly<Record<string, string>>,
  without: ReadonlySet<string>,
  ids: KnownIds,
): Claims {
  const facts = factsOf(family)
  const set = Object.fromEntries(Object.entries(changes).map(([name, text]) => [name, typed(text, family, name)]))
  const claims: Record<string, ClaimValue> = Object.assign(Object.create(null), sample.claims, set)
  const drop = () => {
    for (const name of without) delete claims[name]
  }
  const read = (name: string) => String(claims[name] ?? "")
  drop()
  for (const [claim, others] of goesWith ?? []) {
    if (claims[claim] !== undefined) continue
    for (const name of others) if (changes[name] === undefined) delete claims[name]
  }
  for (const [claim, others] of outdated ?? []) {
    if (read(claim) === String(sample.claims[claim] ?? "")) continue
    for (const [name, assumed] of Object.entries(others)) if (changes[name] === undefined) claims[name] = assumed
  }
  for (const [name, made] of [...ofUnit(facts, ids), ...follows]) {
    if (claims[name] !== undefined) continue
    const value = made(read, sample)
    if (value !== null) claims[name] = typed(value, family, name)
  }
  drop()
  return token === undefined ? claims : token(claims)
}

/** What follows from the unit's name, for every family. */
function ofUnit(facts: FamilyFacts, ids: KnownIds): FamilySamples["follows"] {
  const { roles, ownerId, patterns } = facts
  const { unit, unitId, owner } = roles
  return [
    ...(unit !== undefined && owner !== undefined && patterns
      ? [[owner, (read: (claim: string) => string) => ownerOf(read(unit))] as const]
      : []),
    ...(ownerId !== undefined && roles.ownerId !== undefined
      ? [
          [
            roles.ownerId,
            (read: (claim: string) => string) => ids.owner(owner === undefined ? "" : read(owner)) ?? unusedId(ownerId),
          ] as const,
        ]
      : []),
    ...(unit === undefined || unit === unitId
      ? []
      : [[unitId, (read: (claim: string) => string) => ids.unit(read(unit)) ?? unusedUnitId(facts)] as const]),
  ]
}

/** A text with the type that tokens of the family have. The members of a list stand between commas. */
function typed(text: string, family: string, claim: string): ClaimValue {
  switch (claimFact(family, claim)?.type) {
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text
    case "number":
      return text.trim() !== "" && Number.isSafeInteger(Number(text)) ? Number(text) : text
    case "texts":
      return text.split(",").map((member) => member.trim())
    default:
      return text
  }
}

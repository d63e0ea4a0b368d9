import { FAMILY_FACTS, USUAL_FAMILY } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { idNameOf, UNIT_KINDS, type UnitKind } from "../../broker/core/families/units.ts"

/** The claim of identity tokens for the id of a unit's owner. */
export const ownerIdName = (kind: UnitKind): string => `${kind}_owner_id`

/**
 * Claims of the broker's identity token that contain the name of a unit, an owner or a person, each with the claim to use
 * instead. Names can be given up and taken by others; ids stay.
 */
const NAME_CLAIMS: ReadonlyMap<string, string> = new Map([
  ["triggering_actor", idNameOf(USUAL_FAMILY.unit)],
  ...[...FAMILY_FACTS.values()].flatMap(namesOf),
  ...UNIT_KINDS.flatMap(namesOfKind),
])

export const isNameClaim = (claim: string): boolean => NAME_CLAIMS.has(claim)

/** The claim with an id that says what a claim with a name is meant to say. */
export const idInstead = (claim: string): string => NAME_CLAIMS.get(claim) ?? idNameOf(USUAL_FAMILY.unit)

/** What the broker adds for each kind of unit. */
function namesOfKind(kind: UnitKind): readonly (readonly [claim: string, instead: string])[] {
  return [
    [kind, idNameOf(kind)],
    [`${kind}_owner`, ownerIdName(kind)],
  ]
}

/** The names among the job's own claims. A workflow's file begins with its repository's name. */
function namesOf({ unit: kind, roles, claims }: FamilyFacts): readonly (readonly [claim: string, instead: string])[] {
  const { unit, owner, actor } = roles
  const files = [...claims].flatMap(([claim, { form }]) => (form === "workflow" ? [claim] : []))
  return [
    ...[unit === roles.unitId ? undefined : unit, actor, ...files].flatMap((claim) =>
      claim === undefined ? [] : [[claim, idNameOf(kind)] as const],
    ),
    ...(owner === undefined ? [] : [[owner, ownerIdName(kind)] as const]),
  ]
}

import { factsOf } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import type { IssuerConfig } from "../../broker/core/policy/model.ts"

/** The family of an issuer's tokens. */
export const familyOf = (issuer: Pick<IssuerConfig, "family"> | null | undefined): FamilyFacts =>
  factsOf(issuer?.family)

/** The claim that says a unit's name. Where tokens have no name, its id stands for it. */
export const nameClaim = ({ roles }: FamilyFacts): string => roles.unit ?? roles.unitId

/** The claim that says whose unit it is; undefined where the issuer is the owner. */
export const ownerIdClaim = ({ ownerId, roles }: FamilyFacts): string | undefined =>
  ownerId === undefined ? undefined : roles.ownerId

/** Whether a unit's name is its id: there is nothing that could be taken over beside it. */
export const isNameId = (family: FamilyFacts): boolean => nameClaim(family) === family.roles.unitId

/** Whether jobs of the family can run in no environment. */
export const canBeInNone = ({ roles, claims }: FamilyFacts): boolean =>
  roles.environment === undefined || claims.get(roles.environment)?.sent !== "always"

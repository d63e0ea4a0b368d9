import { isForeignUnitClaim } from "../../broker/core/families/families.ts"
import type { FamilyFacts } from "../../broker/core/families/family-facts.ts"
import { matchCondition } from "../../broker/core/policy/condition.ts"
import type { IssuerConfig, PolicySet } from "../../broker/core/policy/model.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import type { Clause } from "./clauses.ts"

type Organised = Pick<PolicySet, "organisation">

/**
 * The issuers whose jobs a clause is about: the policy's. In the organisation file, all that are listed, without those that
 * the clause's own conditions leave out: by `iss`, or by a claim that identifies units of other issuers only.
 */
export function issuersOf({ organisation }: Organised, { policy, about }: Clause): readonly IssuerConfig[] {
  const all = [...organisation.issuers.values()]
  if (policy !== undefined) return all.filter(({ name }) => name === policy.issuer)
  return all.filter(({ family, url }) =>
    about.every(
      (condition) =>
        !isForeignUnitClaim(family, condition.claim) &&
        (condition.claim !== "iss" || matchCondition(condition, "deny", { iss: url })),
    ),
  )
}

/** The families of these issuers, each once. */
export const familiesOf = (set: Organised, clause: Clause): readonly FamilyFacts[] => [
  ...new Set(issuersOf(set, clause).map(familyOf)),
]

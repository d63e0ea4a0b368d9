import { OPENID } from "../../broker/core/families/openid.ts"
import { ownOwner } from "../../broker/core/families/units.ts"
import type { Claims, Identity } from "../../broker/core/identity.ts"
import type { IssuerConfig } from "../../broker/core/policy/model.ts"
import type { Result } from "../../broker/core/result.ts"
import { identityIn } from "../../broker/issuers/families.ts"

/** The person of an ID token, as a broker reads it. The fault is the end of a sentence: `In the subject token, `. */
export function personIn(claims: Claims, issuer: string, clientId: string): Result<Identity, string> {
  const config: IssuerConfig = {
    name: "",
    family: OPENID.name,
    url: issuer,
    owners: new Map(Object.entries(ownOwner(issuer))),
    audience: clientId,
    repositoryPolicies: false,
  }
  return identityIn(claims, config)
}

/** Who it is: the address, where the issuer vouches for it, and the id, which policies name. */
export const namesOf = ({ unit, unitId }: Pick<Identity, "unit" | "unitId">): string =>
  unit === unitId ? `the person with the id ${unitId}` : `${unit} (id ${unitId})`

import { ownerOf } from "../../broker/core/identity.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { IssuerConfig } from "../../broker/core/policy/model.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import { clausesOf, patternsOf } from "./clauses.ts"
import { issuersOf } from "./families-of.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/**
 * Finds boundaries that name a unit without its issuer, where several listed issuers can have such a unit: the name or id of
 * one server's repository is that of another one's, too.
 */
export function* ambiguousIssuers({ set, sources }: Subject): Generator<Warning> {
  for (const clause of clausesOf(set)) {
    if (clause.part !== "when") continue
    const naming = clause.conditions.filter(({ claim, test }) => test.kind === "any" && claim !== "iss")
    const issuers = issuersOf(set, clause).filter((issuer) => naming.every((one) => canBeOf(one, issuer)))
    const named = naming.find(({ claim }) => issuers.length > 1 && issuers.every((issuer) => isUnit(claim, issuer)))
    if (named === undefined) continue
    const names = issuers.map(({ name }) => name)
    const listed = `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`
    const message = `${clause.whose.charAt(0).toUpperCase()}${clause.whose.slice(1)} does not say which issuer it is about, and tokens of ${listed} all have the claim ${named.claim}: it is about such jobs of each of them. Add iss with the issuer's url.`
    yield warn(clause.file, sources.keyAt(clause.file, [...clause.path, named.claim]), "issuer_ambiguous", message)
  }
}

function isUnit(claim: string, issuer: IssuerConfig): boolean {
  const { unit, unitId } = familyOf(issuer).roles
  return claim === unit || claim === unitId
}

/** Whether a listed owner of the issuer can have a unit that fulfils a condition. What is not known of it can be. */
function canBeOf(condition: Condition, issuer: IssuerConfig): boolean {
  const { roles, patterns } = familyOf(issuer)
  const { claim } = condition
  const owners = [...issuer.owners]
  if (claim === roles.ownerId) return owners.some(([, id]) => matchCondition(condition, "allow", { [claim]: id }))
  if (claim === roles.owner) return owners.some(([name]) => matchCondition(condition, "allow", { [claim]: name }))
  if (claim !== roles.unit || !patterns) return true
  return patternsOf(condition).some(({ literal }) => literal === null || issuer.owners.has(ownerOf(literal)))
}

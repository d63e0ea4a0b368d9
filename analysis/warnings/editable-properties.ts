import { claimFact } from "../../broker/core/families/families.ts"
import { GITHUB_PROPERTY, GITHUB_PROPERTY_PREFIX } from "../../broker/core/families/github-actions.ts"
import { type Clause, clausesOf } from "./clauses.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/**
 * Finds conditions on custom properties of which the organisation does not say that only it can edit them. GitHub lets an
 * organisation choose for each property whether "repository actors" may set it; tokens do not say what was chosen.
 */
export function* editableProperties({ set, sources }: Subject): Generator<Warning> {
  for (const clause of clausesOf(set)) {
    for (const { claim } of clause.conditions) {
      const name = claim.slice(GITHUB_PROPERTY_PREFIX.length)
      const issuer = issuersOf(set, clause).find(
        ({ family, organisationProperties = [] }) =>
          claimFact(family, claim) === GITHUB_PROPERTY && !organisationProperties.includes(name),
      )
      if (issuer === undefined) continue
      const at = sources.keyAt(clause.file, [...clause.path, claim])
      const message = `A custom property can be set so that a repository's administrators edit it, and then they decide whether ${clause.whose} matches. If only the organisation can edit ${name}, say so: add it to issuers.${issuer.name}.organisation_properties. Otherwise write a condition on repository_id.`
      yield warn(clause.file, at, "property_editable", message)
    }
  }
}

function issuersOf({ organisation }: Pick<Subject["set"], "organisation">, { policy }: Clause) {
  const issuer = policy && organisation.issuers.get(policy.issuer)
  return issuer ? [issuer] : [...organisation.issuers.values()]
}

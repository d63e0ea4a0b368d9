import { isForeignUnitClaim } from "../../broker/core/families/families.ts"
import { matchCondition } from "../../broker/core/policy/condition.ts"
import { namesIn } from "../../broker/core/policy/job-readings.ts"
import type { Boundary, Grant, IssuerConfig, Policy } from "../../broker/core/policy/model.ts"
import type { WrittenRepositories } from "../../broker/core/policy/provider-schemas.ts"
import { familyOf } from "../scopes/unit-claims.ts"
import type { Subject } from "./subject.ts"
import { type Warning, warn } from "./warning.ts"

/**
 * Finds grants whose holder can change policies: those of the control repository, or those that a repository keeps for
 * itself. A job that gets such a grant can write into a policy that it gets more.
 */
export function* grantsThatChangePolicies({ set, sources, providers }: Subject): Generator<Warning> {
  const { issuers, boundaries } = set.organisation
  for (const policy of set.policies) {
    for (const grant of policy.grants.values()) {
      const { provider, settings } = grant.connection
      const written = providers.get(provider)?.writes?.(grant.fields, settings) ?? null
      if (written === null) continue
      const what = [...issuers.values()].flatMap(
        (issuer) => policiesIn(written, issuer, policy, grant, boundaries) ?? [],
      )[0]
      if (what === undefined) continue
      const at = sources.keyAt(policy.file, ["grants", grant.name, "permissions"])
      const message = `The holder of ${grant.name} can change files of ${what.unit} (${written.by.join(", ")}), ${what.why}. Grant less, or protect the files with rules that the grant's App cannot bypass, and acknowledge this.`
      yield warn(policy.file, at, "grant_changes_policies", message)
    }
  }
}

interface Finding {
  readonly unit: string
  readonly why: string
}

function policiesIn(
  written: WrittenRepositories,
  issuer: IssuerConfig,
  policy: Policy,
  { template }: Grant,
  boundaries: readonly Boundary[],
): Finding | null {
  const { name, owners, controlRepository, repositoryPolicies } = issuer
  // The ids of owners are of one host: those of other kinds of issuers mean others.
  if (familyOf(issuer).unit !== "repository" || ![...owners.values()].includes(written.ownerId)) return null
  // A gap is filled with the job's own repository.
  const repositories = template === undefined ? written.repositories : [...written.repositories, policy.unit]
  const control = repositories.find((one) => one.toLowerCase() === controlRepository?.toLowerCase())
  if (control !== undefined) {
    return {
      unit: control,
      why: `which issuers.${name} names as the control repository, so it could change every policy`,
    }
  }
  if (!repositoryPolicies) return null
  const own = repositories.find((one) => boundaries.some((boundary) => mayConcern(boundary, one, issuer, written)))
  if (own === undefined) return null
  return {
    unit: own,
    why: "whose own policies count, so it could give itself everything that the boundaries allow",
  }
}

/** Whether a boundary may be about a repository of which only the name and the owner's id are known. */
function mayConcern(
  { when, people }: Boundary,
  unit: string,
  issuer: IssuerConfig,
  { ownerId }: WrittenRepositories,
): boolean {
  const { name: family, roles } = familyOf(issuer)
  const known: Readonly<Record<string, string>> = {
    iss: issuer.url,
    ...(roles.ownerId === undefined ? {} : { [roles.ownerId]: ownerId }),
    ...(unit.includes("*") ? {} : namesIn(roles, unit)),
  }
  if (people || when.some(({ claim }) => isForeignUnitClaim(family, claim))) return false
  return when.every((condition) => !(condition.claim in known) || matchCondition(condition, "deny", known))
}

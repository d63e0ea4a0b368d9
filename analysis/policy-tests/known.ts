import { didYouMean } from "../../broker/core/policy/faults.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { GITHUB_CLAIMS, type KnownIds, UNUSED_ID } from "./github-claims.ts"

/** The names that a policy folder knows. Made once for a folder, because it can have thousands of tests. */
export interface KnownNames {
  readonly grants: ReadonlySet<string>
  /** Names of rules and boundaries: what can decide. */
  readonly deciders: ReadonlySet<string>
  /** Claims that tokens have, or that a rule or a boundary has a condition on. */
  isClaim(name: string): boolean
  readonly claims: ReadonlySet<string>
  /** Ids of an issuer's owners and repositories. */
  ids(issuer: string): KnownIds
  /** What is wrong with a repository that a test gives by name only; null when a policy covers it. */
  repositoryFault(issuer: string, repository: string): string | null
}

/** Collects the names in a folder. */
export function knownNames(set: PolicySet): KnownNames {
  const { issuers, boundaries } = set.organisation
  const rules = set.policies.flatMap(({ allow, deny }) => [...allow, ...deny])
  const conditions = [
    ...rules.flatMap((rule) => rule.conditions),
    ...boundaries.flatMap(({ when, require }) => [...when, ...require]),
  ]
  const claims = new Set([...GITHUB_CLAIMS, ...conditions.map(({ claim }) => claim)])

  const repositories = new Map<string, Map<string, Set<string>>>()
  for (const { issuer, unit: repository, target } of set.policies) {
    if (target.kind !== "unit") continue
    const names = repositories.get(issuer) ?? new Map<string, Set<string>>()
    repositories.set(issuer, names)
    names.set(repository, (names.get(repository) ?? new Set()).add(target.id))
  }
  const ids = (issuer: string): KnownIds => ({
    owner: (name) => issuers.get(issuer)?.owners.get(name),
    repository: (name) => {
      const [id, ...others] = repositories.get(issuer)?.get(name) ?? []
      return others.length === 0 ? id : undefined
    },
  })
  const ofIssuer = (issuer: string) => (issuers.size > 1 ? ` of issuer ${issuer}` : "")
  return {
    grants: new Set(set.policies.flatMap((policy) => [...policy.grants.keys()])),
    deciders: new Set([...rules, ...boundaries].map(({ name }) => name)),
    isClaim: (name) => claims.has(name) || name.startsWith("repo_property_"),
    claims,
    ids,
    repositoryFault(issuer, repository) {
      const named = repositories.get(issuer)
      const found = [...(named?.get(repository) ?? [])]
      if (found.length === 1) return null
      const whose = ofIssuer(issuer)
      if (found.length > 1) {
        return `The policies${whose} have several ids for this repository (${found.join(", ")}). Add the repository_id of the one to test.`
      }
      const ownerId = ids(issuer).owner(repository.split("/", 1)[0] ?? "") ?? UNUSED_ID
      if (set.policiesOf({ issuer, unit: repository, unitId: UNUSED_ID, ownerId }).length > 0) return null
      const hint = didYouMean(repository, named?.keys() ?? [])
      return `No policy${whose} covers this repository.${hint} To test a repository without policies, add its repository_id.`
    },
  }
}

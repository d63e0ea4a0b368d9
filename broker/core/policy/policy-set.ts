import type { Organisation, Policy, PolicySet } from "./model.ts"

/** A set over policies that are known to be good. Finding those of a repository costs the same however many there are. */
export function policySet(version: string, organisation: Organisation, policies: readonly Policy[]): PolicySet {
  const byIssuer = new Map<string, Map<string, Policy[]>>()
  for (const policy of policies) {
    const byRepository = byIssuer.get(policy.issuer) ?? new Map<string, Policy[]>()
    byIssuer.set(policy.issuer, byRepository)
    const same = byRepository.get(policy.repositoryId)
    if (same) same.push(policy)
    else byRepository.set(policy.repositoryId, [policy])
  }
  const none: readonly Policy[] = []
  return {
    version,
    organisation,
    policies,
    policyCount: policies.length,
    policiesOf: (issuer, repositoryId) => byIssuer.get(issuer)?.get(repositoryId) ?? none,
  }
}

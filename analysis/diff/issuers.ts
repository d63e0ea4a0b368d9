import type { IssuerConfig, PolicySet } from "../../broker/core/policy/model.ts"
import { policySet } from "../../broker/core/policy/policy-set.ts"
import type { ComparedIssuer } from "./model.ts"

/**
 * The old set with the names and URLs that the new set has for its issuers, so that everything else can be compared. The
 * changed names and URLs are reported separately.
 */
export function withIssuersOf(old: PolicySet, next: PolicySet): PolicySet {
  const names = renamedIssuers(old, next)
  const isSame = [...old.organisation.issuers.values()].every(
    ({ name, url }) => !names.has(name) && (next.organisation.issuers.get(name)?.url ?? url) === url,
  )
  if (isSame) return old
  const issuers = [...old.organisation.issuers.values()].map((issuer): IssuerConfig => {
    const name = names.get(issuer.name) ?? issuer.name
    return { ...issuer, name, url: next.organisation.issuers.get(name)?.url ?? issuer.url }
  })
  const organisation = { ...old.organisation, issuers: new Map(issuers.map((issuer) => [issuer.name, issuer])) }
  const policies = old.policies.map((policy) => ({ ...policy, issuer: names.get(policy.issuer) ?? policy.issuer }))
  return policySet(old.version, organisation, policies)
}

/** Every issuer of both sets, with its counterpart in the other set. Those of the new set come first, in its order. */
export function comparedIssuers(old: PolicySet, next: PolicySet): readonly ComparedIssuer[] {
  const names = renamedIssuers(old, next)
  const before = new Map([...old.organisation.issuers.values()].map((one) => [names.get(one.name) ?? one.name, one]))
  const after = next.organisation.issuers
  return [
    ...[...after.values()].map((one) => ({ old: before.get(one.name) ?? null, next: one })),
    ...[...before].flatMap(([name, one]) => (after.has(name) ? [] : [{ old: one, next: null }])),
  ]
}

/** Issuers that have the same URL and another name in the new set: old name to new name. */
function renamedIssuers(old: PolicySet, next: PolicySet): ReadonlyMap<string, string> {
  const [before, after] = [old.organisation.issuers, next.organisation.issuers]
  const byUrl = new Map([...after.values()].filter(({ name }) => !before.has(name)).map(({ url, name }) => [url, name]))
  return new Map(
    [...before.values()].flatMap(({ name, url }): (readonly [string, string])[] => {
      const renamed = after.has(name) ? undefined : byUrl.get(url)
      return renamed === undefined ? [] : [[name, renamed]]
    }),
  )
}

import { ownOwner } from "../../broker/core/families/units.ts"
import type { IssuerConfig, Policy, PolicySet } from "../../broker/core/policy/model.ts"
import { policySet } from "../../broker/core/policy/policy-set.ts"
import { familyOf, ownerIdClaim } from "../scopes/unit-claims.ts"
import type { ComparedIssuer } from "./model.ts"

/**
 * The old set with the names, URLs and families that the new set has for its issuers, so that everything else can be
 * compared. What changed of them is reported separately.
 */
export function withIssuersOf(old: PolicySet, next: PolicySet): PolicySet {
  const names = renamedIssuers(old, next)
  const isSame = [...old.organisation.issuers.values()].every(({ name, url, family }) => {
    const after = next.organisation.issuers.get(name)
    return !names.has(name) && (after === undefined || (after.url === url && after.family === family))
  })
  if (isSame) return old
  const issuers = [...old.organisation.issuers.values()].map((issuer): IssuerConfig => {
    const name = names.get(issuer.name) ?? issuer.name
    const { url, family } = next.organisation.issuers.get(name) ?? issuer
    // An issuer that is the owner of its units is that under its new URL, too.
    const owners =
      ownerIdClaim(familyOf({ family })) === undefined ? new Map(Object.entries(ownOwner(url))) : issuer.owners
    return { ...issuer, name, url, family, owners }
  })
  const organisation = { ...old.organisation, issuers: new Map(issuers.map((issuer) => [issuer.name, issuer])) }
  const policies = old.policies.map((policy): Policy => {
    const issuer = names.get(policy.issuer) ?? policy.issuer
    const { target } = policy
    const before = old.organisation.issuers.get(policy.issuer)?.url
    const isIssuers = target.kind === "owner" && target.ownerId === before
    const ownerId = organisation.issuers.get(issuer)?.url ?? ""
    return { ...policy, issuer, target: isIssuers ? { ...target, ownerId } : target }
  })
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

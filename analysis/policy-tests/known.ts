import { claimNames, factsOf, isKnownClaim } from "../../broker/core/families/families.ts"
import { UNITS } from "../../broker/core/families/units.ts"
import { ownerOf } from "../../broker/core/identity.ts"
import { didYouMean } from "../../broker/core/policy/faults.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import { type KnownIds, unitClaimOf, unusedId, unusedUnitId } from "./token-claims.ts"

/** The names that a policy folder knows. Made once for a folder, because it can have thousands of tests. */
export interface KnownNames {
  readonly grants: ReadonlySet<string>
  /** Names of rules and boundaries: what can decide. */
  readonly deciders: ReadonlySet<string>
  /** Claims that tokens have, or that a rule or a boundary has a condition on. */
  isClaim(name: string): boolean
  readonly claims: ReadonlySet<string>
  /** Ids of an issuer's owners and units. */
  ids(issuer: string): KnownIds
  /** What is wrong with a unit that a test gives by name only; null when a policy covers it. */
  unitFault(issuer: string, unit: string): string | null
}

/** Collects the names in a folder. */
export function knownNames(set: PolicySet): KnownNames {
  const { issuers, boundaries } = set.organisation
  const rules = set.policies.flatMap(({ allow, deny }) => [...allow, ...deny])
  const conditions = [
    ...rules.flatMap((rule) => rule.conditions),
    ...boundaries.flatMap(({ when, require }) => [...when, ...require]),
  ]
  const families = [...issuers.values()].map(({ family }) => factsOf(family))
  const ofFamilies = families.flatMap((facts) => [...claimNames(facts.name), unitClaimOf(facts)])
  const claims = new Set([...ofFamilies, ...conditions.map(({ claim }) => claim)])

  const units = new Map<string, Map<string, Set<string>>>()
  for (const { issuer, unit, target } of set.policies) {
    if (target.kind !== "unit") continue
    const names = units.get(issuer) ?? new Map<string, Set<string>>()
    units.set(issuer, names)
    names.set(unit, (names.get(unit) ?? new Set()).add(target.id))
  }
  const ids = (issuer: string): KnownIds => ({
    owner(name) {
      const { owners } = issuers.get(issuer) ?? { owners: new Map<string, string>() }
      const [only, ...others] = new Set(owners.values())
      // Of tokens that do not say an owner's name, the only one that is listed.
      return owners.get(name) ?? (name === "" && others.length === 0 ? only : undefined)
    },
    unit: (name) => {
      const [id, ...others] = units.get(issuer)?.get(name) ?? []
      return others.length === 0 ? id : undefined
    },
  })
  const ofIssuer = (issuer: string) => (issuers.size > 1 ? ` of issuer ${issuer}` : "")
  return {
    grants: new Set(set.policies.flatMap((policy) => [...policy.grants.keys()])),
    deciders: new Set([...rules, ...boundaries].map(({ name }) => name)),
    isClaim: (name) => claims.has(name) || isKnownClaim(name),
    claims,
    ids,
    unitFault(issuer, unit) {
      const facts = factsOf(issuers.get(issuer)?.family)
      const { one } = UNITS[facts.unit]
      const { unitId } = facts.roles
      const named = units.get(issuer)
      const found = [...(named?.get(unit) ?? [])]
      if (found.length === 1) return null
      const whose = ofIssuer(issuer)
      if (found.length > 1) {
        return `The policies${whose} have several ids for this ${one} (${found.join(", ")}). Add the ${unitId} of the one to test.`
      }
      const unknown = facts.ownerId === undefined ? (issuers.get(issuer)?.url ?? "") : unusedId(facts.ownerId)
      const ownerId = ids(issuer).owner(ownerOf(unit)) ?? unknown
      if (set.policiesOf({ issuer, unit, unitId: unusedUnitId(facts), ownerId }).length > 0) return null
      const hint = didYouMean(unit, named?.keys() ?? [])
      return `No policy${whose} covers this ${one}.${hint} To test a ${one} without policies, add its ${unitId}.`
    },
  }
}

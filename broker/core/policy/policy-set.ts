import { shortName } from "../identity.ts"
import type { Organisation, Policy, PolicySet, PolicySubject } from "./model.ts"
import { matchPattern } from "./pattern.ts"

/** Makes a set of checked policies. Finding those of a unit costs the same for any number of policies. */
export function policySet(version: string, organisation: Organisation, policies: readonly Policy[]): PolicySet {
  const byUnit = new Map<string, Policy[]>()
  const byOwner = new Map<string, NamePrefixes>()
  for (const policy of policies) {
    const { target } = policy
    if (target.kind === "unit") pushInto(byUnit, keyOf(policy.issuer, target.id), policy)
    else {
      const key = keyOf(policy.issuer, target.ownerId)
      const prefixes: NamePrefixes = byOwner.get(key) ?? new Map()
      byOwner.set(key, prefixes)
      pushInto(prefixes, target.names.prefix, policy)
    }
  }
  const none: readonly Policy[] = []
  return {
    version,
    organisation,
    policies,
    policyCount: policies.length,
    policiesOf(subject) {
      const exact = byUnit.get(keyOf(subject.issuer, subject.unitId)) ?? none
      const wide = byOwner.get(keyOf(subject.issuer, subject.ownerId))
      return wide === undefined ? exact : [...exact, ...matching(wide, subject)]
    },
  }
}

/** Whether a policy covers a job's unit, for any environment. */
export function covers({ issuer, target }: Policy, subject: PolicySubject): boolean {
  if (issuer !== subject.issuer) return false
  if (target.kind === "unit") return target.id === subject.unitId
  return target.ownerId === subject.ownerId && matchPattern(target.names, shortName(subject.unit))
}

/** Policies by the text before the first star of their name, so that a lookup tries only few of thousands of patterns. */
type NamePrefixes = Map<string, Policy[]>

function matching(prefixes: NamePrefixes, subject: PolicySubject): Policy[] {
  const name = shortName(subject.unit)
  const found: Policy[] = []
  for (let length = 0; length <= name.length; length++) {
    for (const policy of prefixes.get(name.slice(0, length)) ?? []) if (covers(policy, subject)) found.push(policy)
  }
  return found
}

const keyOf = (issuer: string, id: string) => `${issuer}\n${id}`

function pushInto<Value>(map: Map<string, Value[]>, key: string, value: Value): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

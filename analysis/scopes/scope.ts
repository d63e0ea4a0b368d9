import type { UnitKind } from "../../broker/core/families/units.ts"
import { ownerOf, shortName } from "../../broker/core/identity.ts"
import type { IssuerConfig, Policy, PolicySet, PolicyTarget } from "../../broker/core/policy/model.ts"
import { matchPattern } from "../../broker/core/policy/pattern.ts"
import { meeting } from "../regions/atoms.ts"
import { languageOfPattern } from "../regions/language.ts"
import { familyOf, isNameId, ownerIdClaim } from "./unit-claims.ts"

/** Jobs that the same policies apply to: of one unit, or a pattern of units, and one environment, or none. */
export interface Scope {
  readonly issuer: IssuerConfig
  readonly target: PolicyTarget
  /** Its name as the policies write it, or its id where they write none; a pattern for a target of many units. */
  readonly unit: string
  /** Every name that the set's policies write for the unit's id; empty for a target of many. */
  readonly names: readonly string[]
  /** Absent for jobs that run in no environment. */
  readonly environment?: string
  /** The values of the claims that the scope limits to a few texts: unit, owner, environment. */
  readonly texts: ReadonlyMap<string, readonly string[]>
  /** Of these, the claims with exactly one possible value. */
  readonly pinned: ReadonlyMap<string, string>
  /** All policies that can apply, including those with a pattern that matches the unit or overlaps the target's. */
  readonly policies: readonly Policy[]
  /** Ids that the target's pattern matches by name and that have their own scope. They do not belong to this scope. */
  readonly elsewhere: ReadonlySet<string>
}

/** A key of the scope that is the same in every set, to find its counterpart. */
export function scopeKey({ issuer, target, environment }: Pick<Scope, "issuer" | "target" | "environment">): string {
  const whose = target.kind === "unit" ? [target.id] : [target.ownerId, target.names.source]
  return JSON.stringify([issuer.name, ...whose, environment ?? null])
}

/**
 * Every scope of the set's policies, in the set's order. Together they contain every job that can get anything, assuming
 * that units have the names that policies write. `beside`: another set, whose names for the same ids are included so
 * that the two sets can be compared.
 */
export function scopesOf(set: PolicySet, beside?: PolicySet): readonly Scope[] {
  const scopes = new Map<string, Scope>()
  const wide = set.policies.filter(({ target }) => target.kind === "owner")
  for (const policy of set.policies) {
    const issuer = set.organisation.issuers.get(policy.issuer)
    if (issuer === undefined) continue
    const key = scopeKey({ ...policy, issuer })
    if (!scopes.has(key)) scopes.set(key, scopeOf(set, beside, issuer, policy, wide))
  }
  return [...scopes.values()]
}

function scopeOf(
  set: PolicySet,
  beside: PolicySet | undefined,
  issuer: IssuerConfig,
  policy: Policy,
  wide: readonly Policy[],
): Scope {
  const { target, unit } = policy
  const environment = policy.environment === undefined ? {} : { environment: policy.environment }
  const head = { issuer, target, unit, ...environment }
  const family = familyOf(issuer)
  const isHere = (other: Policy) => other.environment === policy.environment
  if (target.kind === "unit") {
    const names = namesOf(set, policy, target.id)
    const all = [...new Set([...names, ...(beside ? namesOf(beside, policy, target.id) : [])])]
    // An owner with an unlisted name may be any listed owner: ids decide.
    const listed = new Set(family.patterns ? all.flatMap((name) => issuer.owners.get(ownerOf(name)) ?? []) : [])
    const ownerIds = listed.size > 0 ? [...listed] : [...new Set(issuer.owners.values())]
    const policies = new Set<Policy>()
    for (const name of all) {
      for (const ownerId of ownerIds) {
        const subject = { issuer: issuer.name, unitId: target.id, unit: name, ownerId }
        for (const other of set.policiesOf(subject)) if (isHere(other)) policies.add(other)
      }
    }
    // Where no policy says its name, it can be that of any pattern.
    if (!isNameId(family) && namesBeside(target, all).length === 0) {
      for (const other of wide) if (isHere(other) && other.issuer === issuer.name) policies.add(other)
    }
    return { ...head, ...textsOf(head, all, ownerIds), names, policies: [...policies], elsewhere: new Set() }
  }
  const policies = wide.filter((other) => isHere(other) && other.issuer === issuer.name && overlaps(policy, other))
  const elsewhere = set.policies.flatMap((other) =>
    other.target.kind === "unit" &&
    isHere(other) &&
    other.issuer === issuer.name &&
    matchPattern(target.names, shortName(other.unit))
      ? [other.target.id]
      : [],
  )
  return { ...head, ...textsOf(head, [], [target.ownerId]), names: [], policies, elsewhere: new Set(elsewhere) }
}

function textsOf(
  { issuer, target, unit, environment }: Pick<Scope, "issuer" | "target" | "unit" | "environment">,
  names: readonly string[],
  ownerIds: readonly string[],
): Pick<Scope, "texts" | "pinned"> {
  const family = familyOf(issuer)
  const { roles, patterns } = family
  const ownerId = ownerIdClaim(family)
  // A pattern matches by the owner's id, so a token may have any name that is listed for this id.
  const listed = [...issuer.owners].flatMap(([name, id]) => (ownerIds.includes(id) ? [name] : []))
  const said = target.kind === "owner" ? [unit] : namesBeside(target, names)
  const own = patterns ? said.map(ownerOf) : []
  const owners = target.kind === "owner" || own.length === 0 ? [...own, ...listed] : own
  const texts = new Map<string, readonly string[]>([["iss", [issuer.url]]])
  if (ownerId !== undefined) texts.set(ownerId, ownerIds)
  if (ownerId !== undefined && roles.owner !== undefined) texts.set(roles.owner, [...new Set(owners)])
  if (target.kind === "unit") texts.set(roles.unitId, [target.id])
  if (target.kind === "unit" && roles.unit !== undefined && !isNameId(family) && said.length > 0) {
    texts.set(roles.unit, said)
  }
  if (environment !== undefined && roles.environment !== undefined) texts.set(roles.environment, [environment])
  const single = [...texts].flatMap(([claim, [text, ...others]]) =>
    text === undefined || others.length > 0 ? [] : [[claim, text] as const],
  )
  return { texts, pinned: new Map(single) }
}

/** The names that policies write beside an id. One that writes no name has the id in its place. */
const namesBeside = (target: PolicyTarget, names: readonly string[]): readonly string[] =>
  names.filter((name) => target.kind !== "unit" || name !== target.id)

/** The names that the owner of a scope's units can have in a token. */
export function ownersIn({ issuer, texts, unit }: Scope): readonly string[] {
  const { owner } = familyOf(issuer).roles
  return (owner === undefined ? undefined : texts.get(owner)) ?? [ownerOf(unit)]
}

function namesOf(set: PolicySet, { issuer, unit }: Policy, unitId: string): readonly string[] {
  // Policies with a pattern write no name for an id, so this lookup may use any name.
  const spoken = set.policiesOf({ issuer, unitId, unit, ownerId: "" })
  return [...new Set(spoken.map((policy) => policy.unit))]
}

function overlaps(one: Policy, other: Policy): boolean {
  if (one.target.kind !== "owner" || other.target.kind !== "owner") return false
  if (one.target.ownerId !== other.target.ownerId) return false
  const [a, b] = [one.target.names, other.target.names]
  if (!a.prefix.startsWith(b.prefix) && !b.prefix.startsWith(a.prefix)) return false
  const shared = meeting(languageOfPattern(a), languageOfPattern(b))
  // If too complex to decide, the policy is included: its region is limited to its own names anyway.
  return !shared.ok || shared.value !== null
}

/** The jobs that a result is about. */
export interface ChangeSubject {
  /** The issuer's name. */
  readonly issuer: string
  /** The issuer's family. */
  readonly family: string
  readonly unitKind: UnitKind
  /** Its name, a pattern, or null for every unit. */
  readonly unit: string | null
  readonly unitId: string | null
  /** Null for jobs that run in no environment; absent for jobs in any environment or none. */
  readonly environment?: string | null
}

/** The jobs of a scope, as the subject of a result. */
export function subjectOf({ issuer, target, unit, environment }: Scope): ChangeSubject {
  const unitId = target.kind === "unit" ? target.id : null
  const { name: family, unit: unitKind } = familyOf(issuer)
  return { issuer: issuer.name, family, unitKind, unit, unitId, environment: environment ?? null }
}

/** All jobs of an issuer, as the subject of a result. */
export const allJobsOf = (issuer: Pick<IssuerConfig, "name" | "family"> | null | undefined): ChangeSubject => ({
  issuer: issuer?.name ?? "",
  family: familyOf(issuer).name,
  unitKind: familyOf(issuer).unit,
  unit: null,
  unitId: null,
})

import { factsOf, isForeignUnitClaim, isUnitClaim } from "../../broker/core/families/families.ts"
import { shortName } from "../../broker/core/identity.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import { namesIn } from "../../broker/core/policy/job-readings.ts"
import type { Boundary, Organisation, PolicyTarget } from "../../broker/core/policy/model.ts"
import { matchPattern } from "../../broker/core/policy/pattern.ts"
import { ok, type Result } from "../../broker/core/result.ts"
import { common, followedBy, type Language, languageOfPattern, languageOfText } from "../regions/language.ts"
import { boxRegion, intersect, nothing, type Region } from "../regions/region.ts"
import {
  type AxisMemo,
  allValues,
  axisMemo,
  createSpace,
  type Domain,
  type Space,
  valuesThat,
} from "../regions/space.ts"
import type { TooComplex } from "../regions/too-complex.ts"
import { domainsOf } from "./claim-domains.ts"
import { aliasesOf, aliasLanguages, ownerNames } from "./owner-names.ts"
import { ownersIn, type Scope } from "./scope.ts"
import { templateLanguages } from "./template-region.ts"
import { canBeInNone, familyOf, nameClaim, ownerIdClaim } from "./unit-claims.ts"

/** A scope, and the organisation whose boundaries cover it. */
export interface ScopePart {
  readonly scope: Scope
  readonly organisation: Pick<Organisation, "boundaries">
}

/**
 * One space in which several scopes of one family can be compared, for example an old and a new one. A caller that makes
 * spaces for many scopes should pass the same `memo` to all.
 */
export function spaceFor(parts: readonly ScopePart[], memo: AxisMemo = axisMemo()): Result<Space, TooComplex> {
  const family = familyOf(parts[0]?.scope.issuer)
  const [facts, named, { unitId }] = [domainsOf(family), nameClaim(family), family.roles]
  const domains = new Map<string, Domain>()
  const languages = new Map<string, Language[]>()
  const conditions: Condition[] = []
  const tellApart = (claim: string, language: Language) =>
    languages.set(claim, [...(languages.get(claim) ?? []), language])
  for (const { scope, organisation } of parts) {
    for (const [claim, domain] of pinsOf(scope)) {
      const known = domains.get(claim)
      domains.set(claim, known ? either(known, domain) : domain)
    }
    // Ids and names get separate atoms even without conditions: they decide which patterns apply and which boundaries match.
    for (const [claim, texts] of scope.texts) {
      if (texts.length > 1) for (const text of texts) tellApart(claim, languageOfText(text))
    }
    const boundaries = boundariesOver(scope, organisation.boundaries)
    for (const { when, require } of boundaries) conditions.push(...when, ...require)
    if (scope.target.kind === "owner") {
      for (const language of aliasLanguages(boundaries, scope.issuer, ownersIn(scope))) {
        tellApart(named, language)
      }
    }
    for (const { allow, deny, grants } of scope.policies) {
      for (const rule of [...allow, ...deny]) conditions.push(...rule.conditions)
      for (const grant of grants.values()) {
        for (const [claim, language] of templateLanguages(grant, boundaries, scope)) {
          tellApart(claim, language)
        }
      }
    }
    for (const { target } of scope.policies) {
      if (target.kind !== "owner" || !family.patterns) continue
      for (const owner of ownersIn(scope)) {
        tellApart(named, followedBy(languageOfText(`${owner}/`), languageOfPattern(target.names)))
      }
    }
    // A sample stands for all ids that no condition names. It must not be an id that belongs to another scope.
    for (const id of facts.get(unitId)?.samples ?? []) {
      if (scope.elsewhere.has(id)) tellApart(unitId, languageOfText(id))
    }
  }
  for (const [claim, fact] of facts) domains.set(claim, pinned(fact, domains.get(claim) ?? {}))
  return createSpace({ family, conditions, domains, languages, memo })
}

/** The identities of a space that belong to the scope. */
export function regionOfScope(space: Space, scope: Scope): Result<Region, TooComplex> {
  const { issuer, environment, elsewhere } = scope
  const { family } = space
  const { roles } = family
  const ownerId = ownerIdClaim(family)
  if (environment === undefined ? !canBeInNone(family) : roles.environment === undefined) return ok(nothing(space))
  const here = boxRegion(space, (axis) => {
    if (!["iss", roles.environment, roles.unitId, ownerId].includes(axis.claim)) return allValues(axis)
    return valuesThat(axis, ({ [axis.claim]: value }) => {
      if (axis.claim === "iss") return value === issuer.url
      if (axis.claim === roles.environment) return value === environment
      if (axis.claim === roles.unitId) return !elsewhere.has(String(value))
      return (scope.texts.get(axis.claim) ?? []).some((id) => id === value)
    })
  })
  return intersect(here, regionOfTarget(space, scope.target))
}

/** The identities whose unit is the target, or matches its pattern. */
export function regionOfTarget(space: Space, target: PolicyTarget): Region {
  const { family } = space
  const [ownerId, named] = [ownerIdClaim(family), nameClaim(family)]
  const claims = target.kind === "unit" ? [family.roles.unitId] : [ownerId, named]
  return boxRegion(space, (axis) => {
    if (!claims.includes(axis.claim)) return allValues(axis)
    return valuesThat(axis, ({ [axis.claim]: value }) => {
      if (target.kind === "unit") return value === target.id
      return axis.claim === ownerId ? value === target.ownerId : matchPattern(target.names, shortName(String(value)))
    })
  })
}

/** The boundaries that can cover a unit of the scope: a folder may have thousands of others. */
export function boundariesOver(scope: Scope, boundaries: readonly Boundary[]): readonly Boundary[] {
  const { name: family, roles } = familyOf(scope.issuer)
  const listed = ownerNames(scope.issuer, scope.names).flatMap(({ owners }) => owners)
  const isOfPeople = factsOf(scope.issuer.family).unit === "person"
  const written = roles.unit === undefined ? [] : scope.names.map((name) => namesIn(roles, name))
  return boundaries.filter(
    ({ when, people }) =>
      (people === undefined || people === isOfPeople) &&
      when.every((condition) => {
        const { claim } = condition
        if (isForeignUnitClaim(family, claim)) return false
        const known = scope.texts.get(claim)
        if (known === undefined || !isUnitClaim(family, claim)) return true
        const aliases = known.flatMap((text) => [text, ...aliasesOf(roles, { [claim]: text }, claim, listed)])
        const texts = [...aliases, ...written.flatMap((names) => names[claim] ?? [])]
        return texts.some((text) => matchCondition(condition, "deny", { [claim]: text }))
      }),
  )
}

function pinsOf(scope: Scope): ReadonlyMap<string, Domain> {
  const family = familyOf(scope.issuer)
  const { unitId, environment } = family.roles
  const pins = new Map<string, Domain>([[unitId, { present: "always" }]])
  if (environment !== undefined) pins.set(environment, { present: "never" })
  const { target } = scope
  // Without patterns, a target of many is everybody: a person has any name, or none.
  if (target.kind === "owner" && family.patterns) {
    const names = languageOfPattern(target.names)
    const within = ownersIn(scope).map((owner) => followedBy(languageOfText(`${owner}/`), names))
    pins.set(nameClaim(family), { present: "always", within })
  }
  for (const [claim, texts] of scope.texts) {
    pins.set(claim, { present: "always", within: texts.map(languageOfText), samples: texts })
  }
  return pins
}

/** A fact about a claim, narrowed by a scope. */
function pinned(fact: Domain, pin: Domain): Domain {
  const within = pin.within?.flatMap((mine) => (fact.within ? fact.within.map((known) => common(known, mine)) : [mine]))
  return { ...fact, ...pin, ...(within ? { within } : {}) }
}

/** The domain of a claim that belongs to one domain or the other. */
function either(one: Domain, other: Domain): Domain {
  const within = one.present === "never" ? other.within : other.present === "never" ? one.within : both(one, other)
  const samples = [...(one.samples ?? []), ...(other.samples ?? [])]
  return {
    ...(one.present === other.present && one.present ? { present: one.present } : {}),
    ...(within ? { within } : {}),
    samples,
  }
}

const both = (one: Domain, other: Domain) => (one.within && other.within ? [...one.within, ...other.within] : undefined)

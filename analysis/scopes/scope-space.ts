import { factsOf, isUnitClaim } from "../../broker/core/families/families.ts"
import { shortName } from "../../broker/core/identity.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { Boundary, Organisation, PolicyTarget } from "../../broker/core/policy/model.ts"
import { matchPattern } from "../../broker/core/policy/pattern.ts"
import type { Result } from "../../broker/core/result.ts"
import { common, followedBy, type Language, languageOfPattern, languageOfText } from "../regions/language.ts"
import { boxRegion, intersect, type Region } from "../regions/region.ts"
import { type AxisMemo, axisMemo, createSpace, type Domain, type Space, valuesThat } from "../regions/space.ts"
import type { TooComplex } from "../regions/too-complex.ts"
import { aliasesOf, aliasLanguages, ownerNames } from "./owner-names.ts"
import { ownersIn, type Scope } from "./scope.ts"
import { templateLanguages } from "./template-region.ts"

/** Known facts about claims: which a token always has, and good example values. */
export type ClaimFacts = ReadonlyMap<string, Domain>

/** A scope, and the organisation whose boundaries cover it. */
export interface ScopePart {
  readonly scope: Scope
  readonly organisation: Pick<Organisation, "boundaries">
}

/**
 * One space in which several scopes can be compared, for example an old and a new one. A caller that makes spaces for many
 * scopes should pass the same `memo` to all.
 */
export function spaceFor(
  parts: readonly ScopePart[],
  facts: ClaimFacts,
  memo: AxisMemo = axisMemo(),
): Result<Space, TooComplex> {
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
        tellApart("repository", language)
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
      if (target.kind !== "owner") continue
      for (const owner of ownersIn(scope)) {
        tellApart("repository", followedBy(languageOfText(`${owner}/`), languageOfPattern(target.names)))
      }
    }
    // A sample stands for all ids that no condition names. It must not be an id that belongs to another scope.
    for (const id of facts.get("repository_id")?.samples ?? []) {
      if (scope.elsewhere.has(id)) tellApart("repository_id", languageOfText(id))
    }
  }
  for (const [claim, fact] of facts) domains.set(claim, pinned(fact, domains.get(claim) ?? {}))
  return createSpace({ conditions, domains, languages, memo })
}

/** The identities of a space that belong to the scope. */
export function regionOfScope(space: Space, scope: Scope): Result<Region, TooComplex> {
  const { issuer, environment, elsewhere } = scope
  const here = boxRegion(space, (axis) =>
    valuesThat(axis, ({ [axis.claim]: value }) => {
      if (axis.claim === "iss") return value === issuer.url
      if (axis.claim === "environment") return value === environment
      if (axis.claim === "repository_id") return !elsewhere.has(String(value))
      return axis.claim !== "repository_owner_id" || (scope.texts.get(axis.claim) ?? []).some((id) => id === value)
    }),
  )
  return intersect(here, regionOfTarget(space, scope.target))
}

/** The identities whose repository is the target, or matches its pattern. */
export function regionOfTarget(space: Space, target: PolicyTarget): Region {
  return boxRegion(space, (axis) =>
    valuesThat(axis, ({ [axis.claim]: value }) => {
      if (target.kind === "unit") return axis.claim !== "repository_id" || value === target.id
      if (axis.claim === "repository_owner_id") return value === target.ownerId
      return axis.claim !== "repository" || matchPattern(target.names, shortName(String(value)))
    }),
  )
}

/** The boundaries that can cover a repository of the scope: a folder may have thousands of others. */
export function boundariesOver(scope: Scope, boundaries: readonly Boundary[]): readonly Boundary[] {
  const listed = ownerNames(scope.issuer, scope.names).flatMap(({ owners }) => owners)
  const isOfPeople = factsOf(scope.issuer.family).unit === "person"
  return boundaries.filter(
    ({ when, people }) =>
      (people === undefined || people === isOfPeople) &&
      when.every((condition) => {
        const { claim } = condition
        const known = scope.texts.get(claim)
        if (known === undefined || !isUnitClaim(scope.issuer.family, claim)) return true
        const texts = known.flatMap((text) => [text, ...aliasesOf({ [claim]: text }, claim, listed)])
        return texts.some((text) => matchCondition(condition, "deny", { [claim]: text }))
      }),
  )
}

function pinsOf(scope: Scope): ReadonlyMap<string, Domain> {
  const pins = new Map<string, Domain>([
    ["environment", { present: "never" }],
    ["repository_id", { present: "always" }],
  ])
  const { target } = scope
  if (target.kind === "owner") {
    const names = languageOfPattern(target.names)
    const within = ownersIn(scope).map((owner) => followedBy(languageOfText(`${owner}/`), names))
    pins.set("repository", { present: "always", within })
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

import type {
  Boundary,
  BoundaryEntry,
  Connection,
  IssuerConfig,
  Policy,
  PolicySet,
} from "../../broker/core/policy/model.ts"
import type { ProviderSchemaTable } from "../../broker/core/policy/provider-schemas.ts"
import type { Result } from "../../broker/core/result.ts"
import { followedBy, type Language, languageOfPattern, languageOfText, WORD } from "../regions/language.ts"
import { boxRegion, everything, intersect, isEmpty, nothing, type Region, subtract, union } from "../regions/region.ts"
import { createSpace, type Domain, type Space, valuesThat } from "../regions/space.ts"
import type { Must, TooComplex } from "../regions/too-complex.ts"
import { type BoundaryRegions, regionsOfBoundary } from "../scopes/ceiling-region.ts"
import { domainsOf } from "../scopes/claim-domains.ts"
import { type FieldAxes, regionOfFields } from "../scopes/field-axes.ts"
import { stable } from "../scopes/meaning.ts"
import { aliasLanguages } from "../scopes/owner-names.ts"
import { regionOfRule } from "../scopes/rule-region.ts"
import type { Scope } from "../scopes/scope.ts"
import { boundariesOver, regionOfTarget } from "../scopes/scope-space.ts"
import { canBeInNone, familyOf, nameClaim, ownerIdClaim } from "../scopes/unit-claims.ts"
import { type Comparable, type Lifetime, limitedTo, singly } from "./offers.ts"

// The broker reads policies that repositories keep for themselves when a job asks; they cannot be read offline. What they
// could give is still known: the ceiling limits it, entry by entry, for every grant that such a policy could define.

/** The part of a set that limits what an issuer's jobs could get: jobs of one scope, or all. */
export interface Side {
  readonly set: PolicySet
  readonly issuer: IssuerConfig | null
  /** Whether repositories may keep policies of their own. */
  readonly isOpen: boolean
  readonly boundaries: readonly Boundary[]
  readonly scope: Scope | null
  /** The organisation's own policies that restrict every grant: by a deny of all, or by a demand on the environment. */
  readonly restricting: readonly Policy[]
}

export interface Sides {
  readonly old: Side
  readonly next: Side
}

/** The part of a set about an issuer's jobs; with `scope`, about the jobs of that scope only. */
export function sideOf(set: PolicySet, name: string, scope: Scope | null): Side {
  const issuer = set.organisation.issuers.get(name) ?? null
  const { boundaries } = set.organisation
  const policies =
    scope?.policies ?? set.policies.filter(({ target, issuer: own }) => target.kind === "owner" && own === name)
  return {
    set,
    issuer,
    isOpen: issuer?.repositoryPolicies ?? false,
    boundaries: scope ? boundariesOver(scope, boundaries) : boundaries,
    scope,
    restricting: policies.filter(
      ({ deny, protectedEnvironment }) => protectedEnvironment || deny.some(({ grants }) => grants === "all"),
    ),
  }
}

/** A space of every job of the issuer and every possible grant, in which both sides can be compared. */
export function ownPoliciesSpace(
  { old, next }: Sides,
  axes: FieldAxes,
  scope: Scope | null,
): Result<Space, TooComplex> {
  const both = [old, next]
  const family = familyOf(next.issuer ?? old.issuer)
  const { roles } = family
  const [named, ownerId] = [nameClaim(family), ownerIdClaim(family)]
  const boundaries = both.flatMap((side) => side.boundaries)
  const policies = both.flatMap((side) => side.restricting)
  const rules = policies.flatMap(({ deny }) => deny.filter(({ grants }) => grants === "all"))
  const owners = [...new Set(both.flatMap(({ issuer }) => [...(issuer?.owners.values() ?? [])]))]
  const names = [...new Set(both.flatMap(({ issuer }) => [...(issuer?.owners.keys() ?? [])]))]
  const urls = both.flatMap(({ issuer }) => (issuer ? [issuer.url] : []))
  const domains = new Map<string, Domain>(domainsOf(family))
  const languages = new Map<string, readonly Language[]>(axes.languages)
  const add = (claim: string, language: Language) => languages.set(claim, [...(languages.get(claim) ?? []), language])
  const pin = (claim: string, texts: readonly string[]) => {
    const within = texts.map(languageOfText)
    domains.set(claim, { ...domains.get(claim), present: "always", within, samples: texts })
    // The values get separate atoms even if no condition names them: an owner's id decides which wide policies apply.
    if (within.length > 1) for (const language of within) add(claim, language)
  }
  pin("iss", [...new Set(urls)])
  if (ownerId !== undefined) pin(ownerId, owners)
  if (scope) {
    for (const claim of [roles.unit, roles.unitId, ownerId, roles.owner].filter((claim) => claim !== undefined)) {
      const texts = both.flatMap((side) => [...(side.scope?.texts.get(claim) ?? [])])
      if (texts.length > 0) pin(claim, [...new Set(texts)])
    }
  } else {
    const unit = domains.get(named) ?? {}
    domains.set(named, { ...unit, samples: names.map((owner) => `${owner}/anything`) })
    if (roles.owner !== undefined) domains.set(roles.owner, { ...domains.get(roles.owner), samples: names })
  }
  const inside = roles.environment
  if (inside !== undefined) {
    if (scope?.environment !== undefined) pin(inside, [scope.environment])
    else if (scope) domains.set(inside, { present: "never" })
    else if (canBeInNone(family)) domains.set(inside, { samples: ["production", "staging"] })
  }

  for (const { target, environment } of policies) {
    if (target.kind === "owner")
      add(named, followedBy(followedBy(WORD, languageOfText("/")), languageOfPattern(target.names)))
    if (environment !== undefined && inside !== undefined) add(inside, languageOfText(environment))
  }
  for (const { boundaries, issuer } of both) {
    for (const language of aliasLanguages(boundaries, issuer, names)) add(named, language)
  }
  const conditions = [
    ...boundaries.flatMap(({ when, require }) => [...when, ...require]),
    ...rules.flatMap((rule) => rule.conditions),
  ]
  return createSpace({ family, conditions, domains, languages })
}

/** What one entry of a boundary allows a repository's own policy to give. */
export interface Potential extends Comparable {
  readonly boundary: Boundary
  readonly entry: BoundaryEntry
  readonly connection: Connection
}

/** What the boundary entries for a connection allow repositories' own policies to give. */
export function potentialsOf(
  side: Side,
  name: string,
  space: Space,
  axes: FieldAxes,
  providers: ProviderSchemaTable,
  must: Must,
): readonly Potential[] {
  const { issuer, isOpen, boundaries, set, scope, restricting } = side
  const connection = set.organisation.connections.get(name)
  if (issuer === null || !isOpen || connection === undefined) return []
  const provider = providers.get(connection.provider)
  const [least, most] = [
    provider?.minTtlSeconds ?? 0,
    Math.min(connection.maxTtlSeconds ?? Infinity, provider?.maxTtlSeconds ?? Infinity),
  ]
  const owners = new Set(issuer.owners.values())
  const ownerId = ownerIdClaim(space.family)
  const own = boxRegion(space, (axis) =>
    valuesThat(axis, ({ [axis.claim]: value }) => {
      if (axis.claim === "iss") return value === issuer.url
      return axis.claim !== ownerId || owners.has(String(value))
    }),
  )
  const ceiling = boundaries.map((boundary) =>
    must(regionsOfBoundary(space, boundary, { names: scope?.names ?? [], issuer })),
  )
  const inNone = regionInEnvironment(space, undefined)
  const applies = restricting.map((policy) => ({
    policy,
    region: must(intersect(regionOfTarget(space, policy.target), regionInEnvironment(space, policy.environment))),
  }))
  const barred = must(
    union(space, [
      ...ceiling.map(({ violates }) => violates),
      ...ceiling.flatMap(({ boundary, restricts }) =>
        (boundary.maxTtlSeconds ?? Infinity) < least ? [restricts] : [],
      ),
      ...ceiling.flatMap(({ boundary, restricts }) =>
        boundary.protectedEnvironment ? [must(intersect(restricts, inNone))] : [],
      ),
      ...applies.flatMap(({ policy, region }) => [
        ...policy.deny
          .filter(({ grants }) => grants === "all")
          .map((rule) => must(intersect(region, regionOfRule(space, rule)))),
        ...(policy.protectedEnvironment ? [must(intersect(region, inNone))] : []),
      ]),
    ]),
  )
  const open = must(subtract(own, barred))
  const limits: readonly Lifetime[] = ceiling.flatMap(({ boundary: { maxTtlSeconds: seconds }, restricts: region }) =>
    seconds === undefined ? [] : [{ seconds, region }],
  )
  return ceiling.flatMap(({ boundary, allows }: BoundaryRegions) =>
    boundary.allow
      .filter((entry) => entry.connection === name)
      .flatMap((entry): Potential[] => {
        const admitted = must(intersect(must(intersect(allows, open)), must(regionOfFields(space, entry, axes))))
        if (isEmpty(admitted)) return []
        const demanding = [
          ...ceiling.map(({ boundary: { protectedEnvironment: demand }, restricts: region }) => ({ demand, region })),
          ...applies.map(({ policy: { protectedEnvironment: demand }, region }) => ({ demand, region })),
        ]
        return [
          {
            boundary,
            entry,
            connection,
            content: stable([name, connection.provider]),
            sure: admitted,
            possible: admitted,
            lifetimes: limitedTo(most, limits, admitted, must),
            demands: demanding.flatMap(({ demand, region }) =>
              demand === undefined ? [] : singly(demand).map((one) => ({ demand: one, region })),
            ),
          },
        ]
      }),
  )
}

/** The jobs in an environment, or in none. */
export function regionInEnvironment(space: Space, environment: string | undefined): Region {
  const claim = space.family.roles.environment
  if (claim === undefined) return environment === undefined ? everything(space) : nothing(space)
  return boxRegion(space, (axis) =>
    valuesThat(axis, ({ [claim]: value }) => axis.claim !== claim || value === environment),
  )
}

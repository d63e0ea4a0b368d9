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
import { boxRegion, intersect, isEmpty, type Region, subtract, union } from "../regions/region.ts"
import { createSpace, type Domain, type Space, valuesThat } from "../regions/space.ts"
import type { Must, TooComplex } from "../regions/too-complex.ts"
import { type BoundaryRegions, regionsOfBoundary } from "../scopes/ceiling-region.ts"
import { type FieldAxes, regionOfFields } from "../scopes/field-axes.ts"
import { GITHUB_CLAIMS } from "../scopes/github-claims.ts"
import { stable } from "../scopes/meaning.ts"
import { aliasLanguages } from "../scopes/owner-names.ts"
import { regionOfRule } from "../scopes/rule-region.ts"
import type { Scope } from "../scopes/scope.ts"
import { boundariesOver, regionOfTarget } from "../scopes/scope-space.ts"
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
  const boundaries = both.flatMap((side) => side.boundaries)
  const policies = both.flatMap((side) => side.restricting)
  const rules = policies.flatMap(({ deny }) => deny.filter(({ grants }) => grants === "all"))
  const owners = [...new Set(both.flatMap(({ issuer }) => [...(issuer?.owners.values() ?? [])]))]
  const names = [...new Set(both.flatMap(({ issuer }) => [...(issuer?.owners.keys() ?? [])]))]
  const urls = both.flatMap(({ issuer }) => (issuer ? [issuer.url] : []))
  const domains = new Map<string, Domain>(GITHUB_CLAIMS)
  const languages = new Map<string, readonly Language[]>(axes.languages)
  const add = (claim: string, language: Language) => languages.set(claim, [...(languages.get(claim) ?? []), language])
  const pin = (claim: string, texts: readonly string[]) => {
    const within = texts.map(languageOfText)
    domains.set(claim, { ...domains.get(claim), present: "always", within, samples: texts })
    // The values get separate atoms even if no condition names them: an owner's id decides which wide policies apply.
    if (within.length > 1) for (const language of within) add(claim, language)
  }
  pin("iss", [...new Set(urls)])
  pin("repository_owner_id", owners)
  if (scope) {
    for (const claim of ["repository", "repository_id", "repository_owner_id", "repository_owner"]) {
      const texts = both.flatMap((side) => [...(side.scope?.texts.get(claim) ?? [])])
      if (texts.length > 0) pin(claim, [...new Set(texts)])
    }
  } else {
    const unit = domains.get("repository") ?? {}
    domains.set("repository", { ...unit, samples: names.map((owner) => `${owner}/anything`) })
    domains.set("repository_owner", { present: "always", samples: names })
  }
  if (scope?.environment !== undefined) pin("environment", [scope.environment])
  else domains.set("environment", scope ? { present: "never" } : { samples: ["production", "staging"] })

  for (const { target, environment } of policies) {
    if (target.kind === "owner")
      add("repository", followedBy(followedBy(WORD, languageOfText("/")), languageOfPattern(target.names)))
    if (environment !== undefined) add("environment", languageOfText(environment))
  }
  for (const { boundaries, issuer } of both) {
    for (const language of aliasLanguages(boundaries, issuer, names)) add("repository", language)
  }
  const conditions = [
    ...boundaries.flatMap(({ when, require }) => [...when, ...require]),
    ...rules.flatMap((rule) => rule.conditions),
  ]
  return createSpace({ conditions, domains, languages })
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
  const own = boxRegion(space, (axis) =>
    valuesThat(axis, ({ [axis.claim]: value }) => {
      if (axis.claim === "iss") return value === issuer.url
      return axis.claim !== "repository_owner_id" || owners.has(String(value))
    }),
  )
  const ceiling = boundaries.map((boundary) =>
    must(regionsOfBoundary(space, boundary, { names: scope?.names ?? [], issuer })),
  )
  const inNone = boxRegion(space, (axis) =>
    valuesThat(axis, (claims) => axis.claim !== "environment" || !("environment" in claims)),
  )
  const applies = restricting.map((policy) => ({
    policy,
    region: must(intersect(regionOfTarget(space, policy.target), inEnvironment(space, policy))),
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

const inEnvironment = (space: Space, { environment }: Policy): Region =>
  boxRegion(space, (axis) =>
    valuesThat(axis, (claims) => axis.claim !== "environment" || claims["environment"] === environment),
  )

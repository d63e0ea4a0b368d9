import { markedValues } from "../../broker/core/families/cautions.ts"
import { ownerOf } from "../../broker/core/identity.ts"
import type { Condition } from "../../broker/core/policy/condition.ts"
import type { Grant, Organisation, Policy, Rule } from "../../broker/core/policy/model.ts"
import { has } from "../regions/language.ts"
import type { Space } from "../regions/space.ts"
import { domainsOf } from "./claim-domains.ts"
import type { Scope } from "./scope.ts"
import { boundariesOver } from "./scope-space.ts"
import { familyOf } from "./unit-claims.ts"

// Folders say the same of thousands of repositories. Two scopes that differ only in the name and the id of their unit, which
// no condition, boundary or gap reads, have the same regions: in the space of one, the other's unit stands in its place.

/**
 * A text that two scopes of one set share only if everything that the analysis finds about the first holds for the second:
 * of the policies, rules and grants at the same places in their lists. Null for a scope that must be analysed by itself.
 */
export function likenessOf(
  scope: Scope,
  organisation: Pick<Organisation, "boundaries">,
  dead: ReadonlySet<Rule>,
): string | null {
  const { issuer, target, environment, texts, names, policies, elsewhere } = scope
  const family = familyOf(issuer)
  const own = ownClaims(scope)
  if (target.kind !== "unit" || elsewhere.size > 0) return null
  if (markedValues(family).some(([claim]) => own.has(claim))) return null
  const reads = ({ claim }: Condition) => own.has(claim)
  const over = boundariesOver(scope, organisation.boundaries)
  if (over.some(({ when, require }) => when.some(reads) || require.some(reads))) return null
  for (const { target, allow, deny, grants } of policies) {
    if (target.kind !== "unit" || [...allow, ...deny].some(({ conditions }) => conditions.some(reads))) return null
    for (const { template } of grants.values()) if (template !== undefined) return null
  }
  const known: unknown[] = []
  for (const [claim, all] of texts) {
    if (!own.has(claim)) {
      known.push([claim, all])
      continue
    }
    const [text, ...others] = all
    const { within, shape } = domainsOf(family).get(claim) ?? {}
    if (text === undefined || others.length > 0 || shape !== undefined) return null
    // A name of another form than the issuer's tokens have is that of no job.
    known.push([claim, within?.some((language) => has(language, text)) ?? true])
  }
  return JSON.stringify([
    issuer.name,
    environment ?? null,
    known,
    names.map(ownerOf),
    over.map((boundary) => organisation.boundaries.indexOf(boundary)),
    policies.map((policy) => shapeOf(policy, dead)),
  ])
}

/** The space of one scope with another's unit in it. The two must be alike. */
export function spaceOf(scope: Scope, space: Space): Space {
  const own = ownClaims(scope)
  const axes = space.axes.map((axis) => {
    const texts = own.has(axis.claim) ? scope.texts.get(axis.claim) : undefined
    return texts === undefined ? axis : { ...axis, values: axis.values.map((value) => value && (texts[0] ?? value)) }
  })
  return { ...space, axes }
}

/** The claims that say which unit it is, and nothing else. */
function ownClaims({ issuer }: Scope): ReadonlySet<string> {
  const { unit, unitId } = familyOf(issuer).roles
  return new Set([unitId, ...(unit === undefined ? [] : [unit])])
}

function shapeOf({ origin, protectedEnvironment, allow, deny, grants }: Policy, dead: ReadonlySet<Rule>): unknown {
  const rules = (of: readonly Rule[]) => of.map((rule) => [dead.has(rule), ...shapeOfRule(rule)])
  return [origin, protectedEnvironment ?? null, rules(allow), rules(deny), [...grants.values()].map(shapeOfGrant)]
}

const shapeOfRule = ({ grants, conditions }: Rule): unknown[] => [
  grants === "all" ? grants : [...grants],
  conditions.map(({ claim, test }) =>
    test.kind === "present" ? [claim, test.present] : [claim, test.kind, test.patterns.map(({ source }) => source)],
  ),
]

const shapeOfGrant = ({ name, connection, fields, ttlSeconds, minTtlSeconds }: Grant): unknown => [
  name,
  connection.name,
  fields,
  ttlSeconds,
  minTtlSeconds,
]

import type { Condition } from "../../broker/core/policy/condition.ts"
import type {
  Boundary,
  Connection,
  FieldCeiling,
  Grant,
  Policy,
  PolicyTarget,
  Rule,
} from "../../broker/core/policy/model.ts"

// The meaning of policies as normalised texts, in a fixed order and without lines or names of rules and files. Equal texts
// mean the same. Different texts may still mean the same; the analysis decides that.

/** The meaning of a policy, or of its part about one grant. Null when it says nothing. */
export function meaningOf(policy: Policy, grant?: string): string | null {
  const { issuer, target, environment, origin, protectedEnvironment, allow, deny, grants } = policy
  const concerns = (rule: Rule) => grant === undefined || rule.grants === "all" || rule.grants.has(grant)
  const said = {
    allow: sorted(allow.filter(concerns).map((rule) => meaningOfRule(rule, grant))),
    deny: sorted(deny.filter(concerns).map((rule) => meaningOfRule(rule, grant))),
    grants: sorted(
      [...grants.values()].filter(({ name }) => grant === undefined || name === grant).map(meaningOfGrant),
    ),
    protectedEnvironment,
  }
  const isSilent = said.allow.length + said.deny.length + said.grants.length === 0 && protectedEnvironment === undefined
  return isSilent ? null : stable({ issuer, target: meaningOfTarget(target), environment, origin, ...said })
}

export function meaningOfTarget(target: PolicyTarget): string {
  return target.kind === "unit" ? stable([target.id]) : stable([target.ownerId, target.names.source])
}

/** What a grant gives, without its lifetime. Grants with equal content give the same credential. */
export function contentOf({ name, connection, fields, template }: Grant): string {
  const what = template === undefined ? { fields } : { template: template.raw }
  return stable({ name, connection: connection.name, provider: connection.provider, ...what })
}

export function meaningOfBoundary(boundary: Boundary): string {
  const { when, people, allow, require, protectedEnvironment, maxTtlSeconds } = boundary
  return stable({
    people,
    when: sorted(when.map(meaningOfCondition)),
    allow: sorted(allow.map(({ connection, fields }) => stable([connection, meaningOfFields(fields)]))),
    require: sorted(require.map(meaningOfCondition)),
    protectedEnvironment,
    maxTtlSeconds,
  })
}

/** A connection's settings, without its name and without the lifetime, which its grants already include. */
export const settingsOf = ({ provider, settings }: Connection): string => stable({ provider, settings })

/** JSON with sorted keys: equal values give equal texts. */
export function stable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** Sorted, without duplicates. */
export const sorted = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort()

function meaningOfRule({ grants, conditions }: Rule, grant?: string): string {
  const covered = grants === "all" || grant !== undefined ? "all" : sorted([...grants])
  return stable([covered, sorted(conditions.map(meaningOfCondition))])
}

function meaningOfGrant(grant: Grant): string {
  return stable([contentOf(grant), grant.ttlSeconds, grant.minTtlSeconds, grant.breakGlass])
}

export function meaningOfCondition({ claim, test }: Condition): string {
  if (test.kind === "present") return stable([claim, test.present])
  return stable([claim, test.kind, sorted(test.patterns.map(({ source }) => source))])
}

function meaningOfFields(fields: ReadonlyMap<string, FieldCeiling>): string {
  return stable(
    sorted(
      [...fields].map(([name, ceiling]) =>
        stable([
          name,
          ceiling.kind === "text"
            ? sorted(ceiling.patterns.map(({ source }) => source))
            : meaningOfFields(ceiling.entries),
        ]),
      ),
    ),
  )
}

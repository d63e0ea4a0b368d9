import type { Condition } from "../../broker/core/policy/condition.ts"
import type { Boundary, Grant, Organisation, Policy, Rule } from "../../broker/core/policy/model.ts"

/** `most`: what is not known is as the job needs it. `least`: as it would refuse the job. */
export type Assumption = "most" | "least"

/** Policies that decide a job of which some claims are not known. */
export interface Assumed {
  readonly boundaries: readonly Boundary[]
  readonly policies: readonly Policy[]
}

/**
 * Rewrites policies so that deciding about the known claims gives the most, or the least, that the job could get with any values
 * of the unknown ones. If both decisions are the same, the unknown claims do not matter.
 *
 * Sound, because a condition on an unknown claim is replaced by what helps the job (`most`) or hurts it (`least`) in the place
 * where it stands: an `allow`, a `deny`, or either role of a boundary. `unprotected`: without demands on
 * the environment, and on approvals of the run.
 */
export function assume(
  { boundaries }: Pick<Organisation, "boundaries">,
  policies: readonly Policy[],
  unknown: ReadonlySet<string>,
  { assumption, unprotected }: { readonly assumption: Assumption; readonly unprotected: boolean },
): Assumed {
  const isUnknown = ({ claim }: Condition) => unknown.has(claim)
  const known = (conditions: readonly Condition[]) => conditions.filter((one) => !isUnknown(one))
  /** The rules with their unknown conditions fulfilled, or without those that have one. */
  const rulesOf = (rules: readonly Rule[], fulfilled: boolean) =>
    fulfilled
      ? rules.map((rule) => ({ ...rule, conditions: known(rule.conditions) }))
      : rules.filter(({ conditions }) => !conditions.some(isUnknown))
  const most = assumption === "most"
  const opens =
    most && policies.some(({ grants }) => [...grants.values()].some((grant) => hasUnknownGap(grant, unknown)))
  return {
    boundaries: boundaries.flatMap((boundary) => partsOf(boundary, { isUnknown, known, most, opens, unprotected })),
    policies: policies.map((policy): Policy => {
      const { protectedEnvironment: _, ...rest } = policy
      return {
        ...(unprotected ? rest : policy),
        allow: rulesOf(policy.allow, most),
        deny: rulesOf(policy.deny, !most),
        grants: new Map(
          [...policy.grants].map(([name, grant]) => {
            const filled = most ? filledAtWill(grant, unknown) : grant
            return [name, unprotected ? withoutBreakGlass(filled) : filled]
          }),
        ),
      }
    }),
  }
}

interface PartsContext {
  readonly isUnknown: (condition: Condition) => boolean
  readonly known: (conditions: readonly Condition[]) => readonly Condition[]
  readonly most: boolean
  readonly opens: boolean
  readonly unprotected: boolean
}

/**
 * A boundary as two: one allows, and one restricts. They mean the same as the one, and an unknown condition of `when` helps in the
 * first and hurts in the second. Their conditions on the unit are always known, so both still concern the same units.
 */
function partsOf(
  boundary: Boundary,
  { isUnknown, known, most, opens, unprotected }: PartsContext,
): readonly Boundary[] {
  const { name, file, line, when, people, allow, require, protectedEnvironment, maxTtlSeconds } = boundary
  const head = { name, file, line, when: known(when), ...(people === undefined ? {} : { people }) }
  const isOpen = when.some(isUnknown)
  // A boundary without parts still concerns its units, and what concerns a unit closes all that nothing allows.
  const allowing: Boundary = {
    ...head,
    allow: isOpen && !most ? [] : opens ? allow.map((entry) => ({ ...entry, fields: new Map() })) : allow,
    require: [],
  }
  if (isOpen && most) return [allowing]
  const restricting: Boundary = {
    ...head,
    allow: [],
    require: most ? known(require) : require.map((one) => (isUnknown(one) ? never(one) : one)),
    ...(protectedEnvironment === undefined || unprotected ? {} : { protectedEnvironment }),
    ...(maxTtlSeconds === undefined ? {} : { maxTtlSeconds }),
  }
  return [allowing, restricting]
}

const never = ({ claim }: Condition): Condition => ({ claim, test: { kind: "any", patterns: [] } })

/** Whether an unknown claim fills a gap of the grant. */
export const hasUnknownGap = ({ template }: Grant, unknown: ReadonlySet<string>): boolean =>
  template?.claims.some((claim) => unknown.has(claim)) ?? false

const withoutBreakGlass = ({ breakGlass: _, ...grant }: Grant): Grant => grant

/** A grant whose gaps some value could fill: its fields keep the samples, so nothing may be read from them. */
function filledAtWill(grant: Grant, unknown: ReadonlySet<string>): Grant {
  if (!hasUnknownGap(grant, unknown)) return grant
  const { template: _, mustBeNamed: __, ...closed } = grant
  return closed
}

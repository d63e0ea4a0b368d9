import { CAUTION_CLAIMS, isCautionClaim } from "../../broker/core/families/cautions.ts"
import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { Rule } from "../../broker/core/policy/model.ts"
import {
  CAUSED,
  type CautionFact,
  causedBy,
  causesOf,
  demandOn,
  furtherFacts,
  isNamed,
  namedBy,
} from "../regions/cautions.ts"
import { boxRegion, nothing, type Region } from "../regions/region.ts"
import { type Axis, allValues, type Space, valuesThat } from "../regions/space.ts"

/** The jobs that a rule matches, decided by the engine. An allow does not match a caution that it does not name. */
export function regionOfRule(space: Space, { kind, conditions }: Pick<Rule, "kind" | "conditions">): Region {
  return regionOf(space, conditions, kind, kind === "allow")
}

/**
 * The jobs that meet all conditions, in the style of an allow (a missing claim meets no condition) or of a deny (a missing
 * claim meets every condition). Every claim in a condition must be an axis of the space, except those of cautions: what
 * they say follows from the values that cause one.
 */
export function regionOfConditions(space: Space, conditions: readonly Condition[], style: "allow" | "deny"): Region {
  return regionOf(space, conditions, style, false)
}

function regionOf(space: Space, conditions: readonly Condition[], style: "allow" | "deny", mustName: boolean): Region {
  const { family } = space
  const causes = new Set(causesOf(family))
  const narrowings = narrowingsFor(space, conditions, style)
  const boxOf = (narrowing: Narrowing, byValue: ByValue | null = null) =>
    boxRegion(space, (axis) => {
      const named =
        mustName && causes.has(axis.claim)
          ? bitsThat(axis, (value) => isNamed(conditions, family, axis.claim, value))
          : allValues(axis)
      if (byValue?.fact === axis.claim) return bitsThat(axis, (value) => value === CAUSED) & narrowing(axis)
      const value = byValue?.claim === axis.claim ? bitsThat(axis, (one) => one === byValue.value) : allValues(axis)
      return matching(axis, conditions, style) & named & narrowing(axis) & value
    }).boxes
  const byValues = mustName
    ? furtherFacts(family).flatMap((fact) => namedBy(fact, conditions, family).map((one) => ({ fact, ...one })))
    : []
  const boxes = narrowings.flatMap((narrowing) => [
    ...boxOf(narrowing),
    ...byValues.flatMap((byValue) => boxOf(narrowing, byValue)),
  ])
  return boxes.length === 0 ? nothing(space) : { space, boxes }
}

function matching(axis: Axis, conditions: readonly Condition[], style: "allow" | "deny"): bigint {
  if (isCautionClaim(axis.claim)) return allValues(axis)
  const own = conditions.filter(({ claim }) => claim === axis.claim)
  if (own.length === 0) return allValues(axis)
  return valuesThat(axis, (claims) => own.every((condition) => matchCondition(condition, style, claims)))
}

/** A caution that the family's function finds, named by the value that it is found from. */
interface ByValue {
  readonly fact: CautionFact
  readonly claim: string
  readonly value: string
}

/** Narrows the values of an axis. */
type Narrowing = (axis: Axis) => bigint

/** Boxes that together are the jobs with the cautions asked for: all of them where no condition asks. */
function narrowingsFor({ family }: Space, conditions: readonly Condition[], style: "allow" | "deny"): Narrowing[] {
  return CAUTION_CLAIMS.reduce<Narrowing[]>(
    (narrowings, fact) => {
      const { present, absent } = demandOn(fact, conditions, style)
      if (present && absent) return narrowings
      const causes = (axis: Axis) => bitsThat(axis, (value) => causedBy(family, axis.claim, value).includes(fact))
      const without: Narrowing = (axis) => allValues(axis) & ~causes(axis)
      const choices = present
        ? causesOf(family).map(
            (claim): Narrowing =>
              (axis) =>
                axis.claim === claim ? causes(axis) : allValues(axis),
          )
        : absent
          ? [without]
          : []
      return narrowings.flatMap((one) =>
        choices.map(
          (other): Narrowing =>
            (axis) =>
              one(axis) & other(axis),
        ),
      )
    },
    [allValues],
  )
}

function bitsThat({ values }: Axis, holds: (value: string | null) => boolean): bigint {
  return values.reduce((bits, value, at) => (holds(value) ? bits | (1n << BigInt(at)) : bits), 0n)
}

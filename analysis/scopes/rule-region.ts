import { type Condition, matchCondition } from "../../broker/core/policy/condition.ts"
import type { Rule } from "../../broker/core/policy/model.ts"
import { EVENT_CLAIM, namesAll } from "../regions/marked.ts"
import { boxRegion, type Region } from "../regions/region.ts"
import { type Axis, type Space, valuesThat } from "../regions/space.ts"

/** The jobs that a rule matches, decided by the engine. An allow does not match outsiders' events that it does not name. */
export function regionOfRule(space: Space, { kind, conditions }: Pick<Rule, "kind" | "conditions">): Region {
  if (kind === "deny") return regionOfConditions(space, conditions, kind)
  return boxRegion(space, (axis) => {
    const matched = matching(axis, conditions, kind)
    return axis.claim === EVENT_CLAIM ? matched & named(axis, conditions) : matched
  })
}

/**
 * The jobs that meet all conditions, in the style of an allow (a missing claim meets no condition) or of a deny (a missing
 * claim meets every condition). Every claim in a condition must be an axis of the space.
 */
export function regionOfConditions(space: Space, conditions: readonly Condition[], style: "allow" | "deny"): Region {
  return boxRegion(space, (axis) => matching(axis, conditions, style))
}

function matching(axis: Axis, conditions: readonly Condition[], style: "allow" | "deny"): bigint {
  const own = conditions.filter(({ claim }) => claim === axis.claim)
  return valuesThat(axis, (claims) => own.every((condition) => matchCondition(condition, style, claims)))
}

/** The events that an allow matches: not those that outsiders can cause, unless it names them. */
function named(axis: Axis, conditions: readonly Condition[]): bigint {
  return valuesThat(axis, (claims) => namesAll(conditions, claims))
}

import { cautionsOf, markedValues } from "../../broker/core/families/cautions.ts"
import { USUAL_FAMILY } from "../../broker/core/families/families.ts"
import type { Claims } from "../../broker/core/identity.ts"
import { type Condition, namesCaution } from "../../broker/core/policy/condition.ts"

/** The claim that says which event caused a run. An `allow` names outsiders' events in it. */
export const EVENT_CLAIM = "event_name"

/** The events that people without write access to the code can cause. */
export const OUTSIDER_EVENTS: ReadonlySet<string> = new Set(
  markedValues(USUAL_FAMILY).flatMap(([claim, values]) => (claim === EVENT_CLAIM ? [...values.keys()] : [])),
)

/** Whether an allow with these conditions lets in a job with these claims, as far as it must name what is unusual. */
export const namesAll = (conditions: readonly Condition[], claims: Claims): boolean =>
  cautionsOf(USUAL_FAMILY, claims).every((caution) => namesCaution(conditions, caution))

import type { ConditionTrace, RuleTrace } from "../../wire/trace.ts"
import { EVENT_CLAIM } from "../claims/families.ts"
import type { Identity } from "../identity.ts"
import { describeClaim, describeCondition, matchCondition, unnamedOutsiderEvent } from "./condition.ts"
import type { Rule } from "./model.ts"

/** Evaluates one rule for a job: whether it matches, with the result of each condition. */
export function evaluateRule(rule: Rule, identity: Identity): RuleTrace {
  const { kind, name, file, line } = rule
  const conditions = rule.conditions.map((condition): ConditionTrace => {
    const { claim } = condition
    const matched = matchCondition(condition, kind, identity.claims)
    return { claim, expected: describeCondition(condition), actual: describeClaim(identity.claims, claim), matched }
  })
  if (kind === "allow") {
    const event = unnamedOutsiderEvent(rule.conditions, identity)
    if (event !== null) {
      const expected = `${event}, written without a wildcard, because outsiders can cause it`
      conditions.push({ claim: EVENT_CLAIM, expected, actual: event, matched: false })
    }
  }
  return { kind, name, file, line, matched: conditions.every(({ matched }) => matched), conditions }
}

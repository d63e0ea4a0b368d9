import type { ConditionTrace, RuleTrace } from "../../wire/trace.ts"
import type { Identity } from "../identity.ts"
import { describeClaim, describeCondition, matchCondition, namesCaution } from "./condition.ts"
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
    for (const caution of identity.cautions) {
      if (namesCaution(rule.conditions, caution)) continue
      const { claim = caution.fact, value = "true", why } = caution
      const expected = `${value}, written without a wildcard, because ${why}`
      conditions.push({ claim, expected, actual: value, matched: false })
    }
  }
  return { kind, name, file, line, matched: conditions.every(({ matched }) => matched), conditions }
}

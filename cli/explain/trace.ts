import { formatDuration } from "../../broker/core/duration.ts"
import type { BoundaryTrace, ConditionTrace, GrantTrace, RuleTrace, Trace } from "../../broker/wire/trace.ts"

/**
 * A trace as plain text, line by line, for a terminal or a log: the job, then each grant with its reason. Below each
 * grant stand, indented, the rules that name it, and their conditions with the token's values.
 */
export function explainTrace(trace: Trace): string[] {
  const { issuer, unit, unit_id: id, environment } = trace.subject
  const where = environment === null ? "no environment" : `environment ${line(environment)}`
  return [
    `${line(unit)} (${unit === id ? "" : `id ${line(id)}, `}issuer ${issuer}), ${where}`,
    trace.policies.length === 0 ? "policies: none" : `policies: ${trace.policies.map(line).join(", ")}`,
    ...trace.notes.map((note) => `note: ${line(note)}`),
    ...trace.grants.flatMap(explainGrant),
  ]
}

function explainGrant({ name, outcome, reason, change, ttl_seconds: ttl, rules, boundaries }: GrantTrace): string[] {
  const lifetime = ttl === undefined ? "" : ` for ${formatDuration(ttl)}`
  return [
    "",
    `${outcome === "allow" ? "ALLOW" : "DENY "} ${line(name)}${lifetime}`,
    `      ${line(reason)}`,
    ...(change === undefined ? [] : [`      ${line(change)}`]),
    ...rules.flatMap(explainRule),
    ...(boundaries ?? []).flatMap(explainBoundary),
  ]
}

function explainRule({ kind, name, file, line: number, matched, conditions }: RuleTrace): string[] {
  return [
    `      ${kind} "${line(name)}" (${line(file)}:${number}) ${matched ? "matches" : "does not match"}`,
    ...conditions.map((one) => explainCondition(one)),
  ]
}

function explainBoundary({ name, file, line: number, matched, allows, ...trace }: BoundaryTrace): string[] {
  const { conditions, required, fields, environment } = trace
  const stands = allows ? "allows it" : matched ? "does not allow it" : "does not match"
  const expectations = fields.map(({ field, expected, actual }) => {
    return explainCondition({ claim: line(field), expected, actual, matched: false }, "not set")
  })
  return [
    `      boundary "${line(name)}" (${line(file)}:${number}) ${stands}`,
    ...conditions.map((one) => explainCondition(one)),
    ...expectations,
    ...required.map((one) => explainCondition({ ...one, claim: `requires ${one.claim}` })),
    ...environment.map((lacking) => `        - environment: ${line(lacking)}`),
  ]
}

function explainCondition({ claim, expected, actual, matched }: ConditionTrace, missing = "no such claim"): string {
  const found = actual === null ? `(${missing})` : JSON.stringify(actual)
  return `        ${matched ? "+" : "-"} ${claim}: ${line(expected)}; is ${line(found)}`
}

/** Outsiders choose the values of claims, so line breaks and escape sequences are replaced before they reach a terminal. */
function line(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\ufffd")
}

import type { Trace } from "../broker/wire/trace.ts"
import { sentencesOf } from "./advice.ts"
import { ownPolicyLine } from "./denial.ts"
import { forLog } from "./escape.ts"
import { failedSummary } from "./failed-summary.ts"
import { toFailure } from "./failure.ts"
import { appendSummary, fail, info } from "./runner.ts"

/** Fails the step and says what happened and what to change. Writes the trace of a denial to the log and the job summary. */
export function reportFailure(thrown: unknown): void {
  const failure = toFailure(thrown)
  if (failure.trace) for (const line of traceLines(failure.trace)) info(line)
  fail(`Daypass: ${failure.code}`, sentencesOf(failure), ownPolicyLine(failure.trace, failure.message))
  appendSummary(failedSummary(failure))
}

/** Each line starts with fixed words, so that the runner cannot read a claim or a name as a command. */
function traceLines(trace: Trace): string[] {
  const { unit, environment } = trace.subject
  const where = environment === null ? "no environment" : `environment ${forLog(environment)}`
  return [
    `Decision for ${forLog(unit)}, ${where}:`,
    ...trace.notes.map((note) => `- note: ${forLog(note)}`),
    ...trace.grants.flatMap((grant) => [
      `- grant ${forLog(grant.name)}: ${grant.outcome}: ${forLog(grant.reason)}`,
      ...grant.rules.flatMap((rule) => [
        `  - ${rule.kind} "${forLog(rule.name)}" (${forLog(rule.file)}:${rule.line}) ${rule.matched ? "matches" : "does not match"}`,
        ...rule.conditions.map((condition) => {
          const actual = condition.actual === null ? "has no such claim" : `has ${forLog(condition.actual)}`
          const outcome = condition.matched ? "matches" : "does not match"
          return `    - claim ${forLog(condition.claim)} ${outcome}: expected ${forLog(condition.expected)}, the token ${actual}`
        }),
      ]),
    ]),
  ]
}

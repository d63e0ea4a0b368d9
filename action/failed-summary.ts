import type { BoundaryTrace, GrantTrace, RuleTrace } from "../broker/wire/trace.ts"
import { changeFor, pageOf } from "./advice.ts"
import { denialHeading } from "./denial.ts"
import { forMarkdown, messageForMarkdown } from "./escape.ts"
import type { ActionError } from "./failure.ts"
import { table, withinSizeLimit } from "./summary.ts"

/**
 * Says in its heading what happened, and below it what to change and who helps. For a denial it adds the trace: rule or
 * boundary, claim, expected and actual.
 */
export function failedSummary(failure: ActionError): string {
  const { code, requestId, help, message } = failure
  const [first = "", ...more] = message.split(/(?<=[.!?]) (?=[A-Z.])/)
  const denied = failure.trace === undefined ? null : denialHeading(failure.trace)
  const outcome = code === "not_allowed" || code === "policy_invalid" ? "Denied" : "Failed"
  const heading = denied ?? `${outcome}: ${first.replace(/\.$/, "")}`
  // The sections of the trace say the reason of each grant.
  const rest = denied === null ? more.join(" ") : ""
  const request = requestId === undefined ? "" : `, request ${forMarkdown(requestId)}`
  return withinSizeLimit([
    `### ${messageForMarkdown(heading)}`,
    "",
    `[${code}](${pageOf(code)})${request}`,
    ...(rest === "" ? [] : ["", messageForMarkdown(rest)]),
    "",
    `**What to change:** ${messageForMarkdown(changeFor(failure))}`,
    ...(help ? ["", `**Who helps:** [${forMarkdown(help.text ?? help.url)}](<${help.url}>)`] : []),
    ...(failure.trace?.notes ?? []).flatMap((note) => ["", `Note: ${forMarkdown(note)}`]),
    ...(failure.trace?.grants ?? []).flatMap(grantSection),
  ])
}

function grantSection(grant: GrantTrace): string[] {
  const verdict = grant.outcome === "allow" ? "allowed" : "denied"
  const heading = ["", `#### ${forMarkdown(grant.name)}: ${verdict}`, "", messageForMarkdown(grant.reason)]
  const rows = grant.rules.flatMap((rule) => {
    const name = `${rule.kind} ${forMarkdown(rule.name)}`
    const place = `${forMarkdown(rule.file)}:${rule.line}`
    if (rule.conditions.length === 0) return [[name, place, "", "", "", yesOrNo(rule, rule.matched)]]
    return rule.conditions.map(({ claim, expected, actual, matched }) => [
      name,
      place,
      forMarkdown(claim),
      forMarkdown(expected),
      orMissing(actual),
      yesOrNo(rule, matched),
    ])
  })
  const rules =
    rows.length === 0 ? [] : ["", ...table(["rule", "file", "claim", "expected", "actual", "matches"], rows)]
  const refusals = refusalRows(grant.boundaries ?? [])
  const ceiling =
    refusals.length === 0 ? [] : ["", ...table(["boundary", "file", "about", "expected", "actual"], refusals)]
  return [...heading, ...rules, ...ceiling]
}

/**
 * Why the boundaries refuse a grant. The job must meet the `require` of every boundary that matches, but a single boundary
 * that allows the grant is enough. So when one allows it, the reasons why others do not are left out.
 */
function refusalRows(boundaries: readonly BoundaryTrace[]): string[][] {
  const isAllowed = boundaries.some(({ allows }) => allows)
  return boundaries.flatMap(({ name, file, line, conditions, required, fields, environment }) => {
    const start = [forMarkdown(name), `${forMarkdown(file)}:${line}`]
    const claims = [...(isAllowed ? [] : conditions), ...required].filter(({ matched }) => !matched)
    return [
      ...claims.map(({ claim, expected, actual }) => [
        `claim ${forMarkdown(claim)}`,
        forMarkdown(expected),
        orMissing(actual),
      ]),
      ...(isAllowed ? [] : fields).map(({ field, expected, actual }) => [
        `the grant's ${forMarkdown(field)}`,
        forMarkdown(expected),
        orMissing(actual),
      ]),
      ...environment.map((todo) => ["the environment", forMarkdown(todo), ""]),
    ].map((cells) => [...start, ...cells])
  })
}

const orMissing = (actual: string | null) => (actual === null ? "*missing*" : forMarkdown(actual))

/** Bold marks the cause of a denial: a condition of an `allow` that failed, or of a `deny` that matched. */
function yesOrNo(rule: RuleTrace, matched: boolean): string {
  const against = rule.kind === "allow" ? !matched : matched && rule.matched
  const word = matched ? "yes" : "no"
  return against ? `**${word}**` : word
}

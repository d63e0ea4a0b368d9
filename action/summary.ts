import type { BoundaryTrace, GrantTrace, RuleTrace } from "../broker/wire/trace.ts"
import { advice } from "./advice.ts"
import type { Credential } from "./answer.ts"
import { forMarkdown } from "./escape.ts"
import type { ActionError } from "./failure.ts"

/** The runner accepts at most 1 MiB of summary per step and drops a longer one completely. */
const MAX_SUMMARY_CHARACTERS = 500_000

/** Lists what was granted: until when, how it ends, and in which variables and outputs. Contains no value. */
export function grantedSummary(
  credentials: readonly Credential[],
  delivered: { readonly toEnvironment: boolean; readonly toOutputs: boolean; readonly isForCommand?: boolean },
): string {
  const rows = credentials.map((credential) => [
    forMarkdown(credential.grant),
    forMarkdown(credential.provider),
    credential.expiresAt === null ? "does not expire" : forMarkdown(credential.expiresAt),
    credential.revocation === "revocable"
      ? `revoked when the ${delivered.isForCommand ? "command" : "job"} ends`
      : "expires",
    forMarkdown(deliveredAs(credential, delivered).join(", ")),
  ])
  return withinSizeLimit([
    "### Daypass",
    "",
    ...table(["grant", "provider", "until", "how it ends", "delivered as"], rows),
  ])
}

/** Says what happened and what to change. For a denial it adds the trace: rule or boundary, claim, expected and actual. */
export function failedSummary(failure: ActionError): string {
  const request = failure.requestId === undefined ? [] : ["", `Request ${forMarkdown(failure.requestId)}`]
  return withinSizeLimit([
    `### Daypass: ${forMarkdown(failure.code)}`,
    "",
    forMarkdown(failure.message),
    "",
    `**What to change:** ${advice(failure.code)}`,
    ...request,
    ...(failure.trace?.notes ?? []).flatMap((note) => ["", `Note: ${forMarkdown(note)}`]),
    ...(failure.trace?.grants ?? []).flatMap(grantSection),
  ])
}

function grantSection(grant: GrantTrace): string[] {
  const verdict = grant.outcome === "allow" ? "allowed" : "denied"
  const heading = ["", `#### ${forMarkdown(grant.name)}: ${verdict}`, "", forMarkdown(grant.reason)]
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

function deliveredAs(credential: Credential, delivered: { toEnvironment: boolean; toOutputs: boolean }): string[] {
  return credential.values.flatMap(({ name, env }) => [
    ...(delivered.toEnvironment && env !== undefined ? [env] : []),
    ...(delivered.toOutputs ? [`outputs.${credential.grant}-${name}`] : []),
  ])
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [headings, headings.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`)
}

/** Bold marks the cause of a denial: a condition of an `allow` that failed, or of a `deny` that matched. */
function yesOrNo(rule: RuleTrace, matched: boolean): string {
  const against = rule.kind === "allow" ? !matched : matched && rule.matched
  const word = matched ? "yes" : "no"
  return against ? `**${word}**` : word
}

/** Cuts at the end of a line, so that every table row and character reference stays complete. */
function withinSizeLimit(lines: readonly string[]): string {
  let length = 0
  const end = lines.findIndex((line) => {
    length += line.length + 1
    return length > MAX_SUMMARY_CHARACTERS
  })
  return [...(end === -1 ? lines : [...lines.slice(0, end), "", "*The rest is left out.*"]), ""].join("\n")
}

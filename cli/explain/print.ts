import type { Claims } from "../../broker/core/identity.ts"
import type { LimitAnswer, LimitsAnswer } from "../../broker/wire/exchange.ts"
import type { GrantTrace, RuleTrace, Trace } from "../../broker/wire/trace.ts"
import { appendSummary, type Format, printJson, repositoryPath } from "../format.ts"
import { inert, inertMarkdown, workflowCommand } from "../inert.ts"
import type { CliIo } from "../io.ts"
import { describeClaims, expiryOf, isKeyBound } from "../subject-token.ts"
import { subjectsOf } from "./subjects.ts"
import { explainTrace } from "./trace.ts"

export interface Outcome {
  readonly decidedBy: "broker" | "offline"
  readonly decision: "allow" | "deny"
  readonly code: string
  /** Null when the broker sent no trace, or no policy was evaluated. */
  readonly trace: Trace | null
  /** Null when no broker told them: only its ledger knows what is used up. */
  readonly limits: LimitsAnswer | null
  readonly notes: readonly string[]
}

export interface Explanation {
  readonly format: Format
  readonly folder: string | undefined
  readonly grants: readonly string[]
  /** The claims of a token, to show; null when the claims came from a file. */
  readonly claims: Claims | null
  /** Null when no decision was asked for. */
  readonly outcome: Outcome | null
  readonly remarks: readonly string[]
}

/** Prints a token's claims and what it would get. Never the token or its signature: this code does not receive them. */
export async function printExplanation(explanation: Explanation, io: CliIo): Promise<void> {
  if (explanation.format === "json") return printJson(jsonOf(explanation, io.now()), io)
  const parts = [
    claimLines(explanation, io.now()),
    decisionLines(explanation),
    limitLines(explanation),
    subjectLines(explanation),
  ]
  const sections = parts.filter(({ length }) => length > 0)
  for (const line of sections.flatMap((lines, index) => (index === 0 ? lines : ["", ...lines]))) io.out(inert(line))
  if (explanation.format === "github") await annotate(explanation, io)
}

function jsonOf({ claims, outcome, grants, remarks }: Explanation, now: Date): object {
  const decided = outcome && {
    decision: outcome.decision,
    code: outcome.code,
    grants,
    decided_by: outcome.decidedBy,
    trace: outcome.trace,
    limits: outcome.limits,
    subjects: Object.fromEntries(subjectsOf(outcome.trace)),
    notes: [...remarks, ...outcome.notes],
  }
  const token = claims && { verified: false, expired: isExpired(claims, now), key_bound: isKeyBound(claims), claims }
  return { ...decided, ...(token && { token }) }
}

/** Null when the token has no readable expiry. */
function isExpired(claims: Claims, now: Date): boolean | null {
  const expiry = expiryOf(claims)
  return expiry && expiry.getTime() <= now.getTime()
}

function claimLines({ claims }: Explanation, now: Date): string[] {
  if (claims === null) return []
  const warnings: string[] = []
  if (isExpired(claims, now) === true) {
    warnings.push(`warning: the token expired at ${expiryOf(claims)?.toISOString()}, so a broker refuses it.`)
  }
  if (isKeyBound(claims)) warnings.push("note: the token is bound to a key. Only the job that has the key can use it.")
  return [
    "Claims of the token. They were not verified: anyone can write such a token.",
    ...describeClaims(claims),
    ...warnings,
  ]
}

function decisionLines({ outcome, remarks }: Explanation): string[] {
  if (outcome === null) return []
  const { decidedBy, decision, code, notes, trace } = outcome
  return [
    `${decision} (${code})${decidedBy === "broker" ? ", says the broker" : ""}`,
    ...[...remarks, ...notes].map((note) => `note: ${note}`),
    ...(trace ? explainTrace(trace) : []),
  ]
}

/** One line for each limit: how much is used up, until when, and where it is set. */
function limitLines({ outcome }: Explanation): string[] {
  if (!outcome?.limits) return []
  const { exchanges_per_minute: exchanges, open_leases: leases, denials_per_hour: denials } = outcome.limits
  const resets = ({ resets_in_seconds: seconds }: LimitAnswer) =>
    seconds === undefined ? "" : `, from zero again in ${seconds} s`
  const line = (name: string, limit: LimitAnswer, more = "") =>
    `  ${name.padEnd("exchanges_per_minute".length)}  ${limit.used} of ${limit.max}${more}${resets(limit)} (set by ${limit.source})`
  const uncounted = denials.counted === 0 ? "" : `, and ${denials.counted} more that are only counted`
  const ofGrants = Object.entries(outcome.limits.max_open_leases ?? {}).map(
    ([grant, { max, source }]) => `  max_open_leases       ${max} for ${grant} (set by ${source})`,
  )
  return [
    "What the repository has used up of its limits:",
    line("exchanges_per_minute", exchanges),
    line("open_leases", leases),
    line("denials_per_hour", denials, uncounted),
    ...ofGrants,
  ]
}

/** The `sub` to copy into a cloud's trust policy. Printed for denials too: the trust is set up before the first job. */
function subjectLines({ outcome }: Explanation): string[] {
  const subjects = [...subjectsOf(outcome?.trace ?? null)]
  if (subjects.length === 0) return []
  const width = Math.max(...subjects.map(([grant]) => grant.length))
  return [
    "The broker's identity tokens have this sub. The trust policy of the other side must name exactly this text:",
    ...subjects.map(([grant, subject]) => `  ${grant.padEnd(width)}  ${subject}`),
  ]
}

/** Each refused grant becomes an annotation. It is placed at the deciding rule if that is in a file of this folder. */
async function annotate({ folder, outcome, grants }: Explanation, io: CliIo): Promise<void> {
  if (outcome === null) return
  for (const grant of outcome.trace?.grants ?? []) {
    if (grant.outcome === "allow") continue
    const rule = outcome.decidedBy === "offline" && folder !== undefined ? decidingRule(grant) : undefined
    const place = rule && { file: repositoryPath(folder ?? "", rule.file, io), line: rule.line }
    const text = [grant.reason, grant.change].filter((sentence) => sentence !== undefined).join(" ")
    io.out(workflowCommand("error", { ...place, title: `explain: ${grant.name}` }, text))
  }
  const sentence = `${outcome.decision} (${outcome.code}): ${grants.join(", ")}`
  const rows = [...subjectsOf(outcome.trace)].map((row) => `| ${row.map(inertMarkdown).join(" | ")} |`)
  const table = rows.length === 0 ? [] : ["", "| grant | sub of the broker's identity token |", "|---|---|", ...rows]
  const summary = ["### daypass explain", "", inertMarkdown(sentence), ...table, ""]
  await appendSummary(summary.join("\n"), io)
}

/** The deny rule that matches, otherwise the allow rule with the fewest unmatched conditions. */
function decidingRule({ rules }: GrantTrace): RuleTrace | undefined {
  const misses = ({ conditions }: RuleTrace) => conditions.filter(({ matched }) => !matched).length
  const denial = rules.find(({ kind, matched }) => kind === "deny" && matched)
  const allows = rules.filter(({ kind }) => kind === "allow")
  return denial ?? allows.sort((a, b) => misses(a) - misses(b))[0]
}

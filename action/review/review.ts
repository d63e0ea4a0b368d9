import { createHash } from "node:crypto"
import { diffPolicySets } from "../../analysis/diff/diff.ts"
import { explainDiff } from "../../analysis/diff/words.ts"
import type { RecordedDiff } from "../../analysis/used/changed-runs.ts"
import { explainRuns } from "../../analysis/used/words.ts"
import type { PolicySet } from "../../broker/core/policy/model.ts"
import type { PolicyInput } from "../../broker/core/policy/policy-input.ts"
import { PROVIDERS } from "../../broker/providers/index.ts"
import { diffAsJson } from "../../cli/diff/json.ts"
import { counted, type Finding, fails, findingLine } from "../../cli/format.ts"
import { type LoadedFolder, loadFiles } from "../../cli/policies.ts"
import { checkFolder } from "../../cli/reports/check.ts"
import { diffReport } from "../../cli/reports/diff.ts"
import { testFolder } from "../../cli/reports/test.ts"

/** What a reviewer is told, for a comment, a check and a log. */
export interface Review {
  /** `action_required`: a job gets more, and nobody has approved that. */
  readonly conclusion: "success" | "action_required" | "failure"
  /** Whether a job gets more, or it cannot be ruled out. Null: the policies have errors, so nobody knows. */
  readonly widens: boolean | null
  /** A digest of all that gives more, which an approval names; empty when nothing does, or nobody knows. */
  readonly widening: string
  /** Our own sentences: no text of a policy is in them. */
  readonly headline: string
  readonly sections: readonly Section[]
  readonly findings: readonly Finding[]
}

/** Lines as a terminal shows them, safe as such and not as Markdown. */
export interface Section {
  readonly title: string
  /** `diff`: lines that begin with + and - are coloured. */
  readonly kind: "diff" | "text"
  readonly lines: readonly string[]
}

export interface ReviewWishes {
  /** Of the folder, for the paths in the report. */
  readonly folder: string
  readonly strict: boolean
  readonly minCoverage: number | null
  /** The digest of what a second review approved; empty for none. */
  readonly approved: string
}

/** What the record says of the change, or a sentence that says why it says nothing; null when there is none to ask. */
export type AskRecord = (before: PolicySet, after: PolicySet) => Promise<RecordedDiff | string | null>

/**
 * Compares the files of a policy folder before and after a merge, with the code of `daypass check`, `test` and `diff`. They are data:
 * nothing of them is executed. Null: the folder is not there.
 */
export async function reviewFiles(
  before: readonly PolicyInput[] | null,
  after: readonly PolicyInput[] | null,
  wishes: ReviewWishes,
  askRecord: AskRecord,
): Promise<Review> {
  if (after === null) return gone(wishes.folder, before !== null)
  const [old, next] = [before && loadFiles(before), loadFiles(after)]
  const check = await checked(old, next, wishes)
  if (!next.result.ok) {
    return {
      conclusion: "failure",
      widens: null,
      widening: "",
      headline: NOT_LOADED,
      sections: [check.section],
      findings: check.findings,
    }
  }
  const tests = testFolder(next, { filter: null, minCoverage: wishes.minCoverage })
  const failing = tests.findings.filter(({ severity }) => severity === "error")
  const change = await changed(old, next.result.value, askRecord)
  const isApproved = change.widens && change.widening === wishes.approved
  const isRight = check.ok && tests.ok
  return {
    conclusion: !isRight ? "failure" : change.widens && !isApproved ? "action_required" : "success",
    widens: change.widens,
    widening: change.widening,
    headline: [
      ...(check.ok ? [] : [check.hasErrors ? ERRORS : WARNINGS]),
      ...(tests.ok ? [] : [failing.length > 0 ? FAILING : UNTESTED]),
      change.headline,
      ...(isApproved ? [APPROVED] : change.widens && wishes.approved !== "" ? [CHANGED_SINCE] : []),
    ].join(" "),
    sections: [
      ...change.sections,
      check.section,
      section("Tests", [...linesOf(wishes.folder, failing), tests.summary]),
    ],
    findings: [...change.findings, ...check.findings, ...failing],
  }
}

const ERRORS = "**The policies have errors.**"
const WARNINGS = "**There are warnings, and this review is strict.**"
const FAILING = "**A policy test fails.**"
const UNTESTED = "**The policy tests exercise too few rules.**"
const APPROVED = "The second review has approved that."
const CHANGED_SINCE =
  "It is not what the second review approved: a branch has changed since. Run the whole workflow again."
const NOT_LOADED =
  "**These policies have errors.** A broker would not load them. So it is not known which jobs would get more or less."

/** A review of a pull request that changes no file of the folder. */
export const UNCHANGED: Review = {
  conclusion: "success",
  widens: false,
  widening: "",
  headline: "This pull request changes no policies.",
  sections: [],
  findings: [],
}

/** A folder that is renamed looks like this, too. */
function gone(folder: string, wasThere: boolean): Review {
  const what = wasThere
    ? "This pull request takes the folder away, or renames it."
    : "The folder is in neither branch. Correct the input `folder` of the review."
  const headline = `**There is no folder \`${folder || "."}\` after a merge.** ${what} Brokers would be without policies to load.`
  return { conclusion: "failure", widens: null, widening: "", headline, sections: [], findings: [] }
}

/** What `check` finds. Warnings that were there before are counted only: they are not this pull request's. */
async function checked(old: LoadedFolder | null, next: LoadedFolder, { folder, strict }: ReviewWishes) {
  const { findings: all, summary } = await checkFolder(next)
  const known = new Set(old === null || strict ? [] : (await checkFolder(old)).findings.map(keyOf))
  const findings = all.filter((finding) => finding.severity === "error" || !known.has(keyOf(finding)))
  const left = all.length - findings.length
  const more = left === 0 ? [] : [`Not listed: ${counted(left, "warning")} of the base branch.`]
  return {
    ok: !fails(findings, strict),
    hasErrors: fails(findings, false),
    findings,
    section: section("Check", [...linesOf(folder, findings), ...more, summary]),
  }
}

/** The same warning on another line is the same warning. */
const keyOf = ({ severity, code, file, message }: Finding) => JSON.stringify([severity, code, file, message])

/** What jobs get more and less. */
interface Change extends Pick<Review, "widening" | "headline" | "sections" | "findings"> {
  readonly widens: boolean
}

async function changed(old: LoadedFolder | null, next: PolicySet, askRecord: AskRecord): Promise<Change> {
  if (old === null || !old.result.ok) {
    const why = old === null ? "The folder is new." : "The policies of the base branch have errors."
    const headline = `**${why} There is nothing to compare with, so every job that these policies admit gets more.**`
    return { widens: true, widening: digestOf([next.version]), headline, findings: [], sections: [] }
  }
  const diff = diffPolicySets(old.result.value, next, { providers: PROVIDERS })
  const wider = diffAsJson(diff).changes.filter(({ direction }) => direction === "wider")
  const recorded = await askRecord(old.result.value, next)
  const runs = recorded === null || typeof recorded === "string" ? null : recorded
  const told = runs ? explainRuns(runs) : recorded === null ? [] : [String(recorded)]
  return {
    widens: diff.widens,
    widening: diff.widens ? digestOf(wider) : "",
    headline: diff.widens ? "**A job gets more by this pull request.**" : "No job gets more by this pull request.",
    findings: diffReport(diff, runs).findings,
    sections: [
      { title: "What changes", kind: "diff", lines: explainDiff(diff) },
      ...(told.length === 0 ? [] : [{ title: "What recorded jobs would get", kind: "diff" as const, lines: told }]),
    ],
  }
}

const digestOf = (parts: readonly unknown[]) => createHash("sha256").update(JSON.stringify(parts)).digest("hex")

const linesOf = (folder: string, findings: readonly Finding[]) =>
  findings.map((finding) => findingLine(folder, finding))

const section = (title: string, lines: readonly string[]): Section => ({ title, kind: "text", lines })

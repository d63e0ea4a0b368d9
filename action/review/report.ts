import { annotations } from "../../cli/format.ts"
import { GitHubError } from "../../cli/github/github-error.ts"
import { inert } from "../../cli/inert.ts"
import type { CliIo } from "../../cli/io.ts"
import { makeCheck } from "./check-run.ts"
import { keepComment } from "./comment.ts"
import { ReviewError } from "./failure.ts"
import type { GitHub } from "./github.ts"
import type { ReviewInputs } from "./inputs.ts"
import { MAX_STEP_SUMMARY, markdownOf } from "./markdown.ts"
import type { PullRequest } from "./pull-request.ts"
import type { Review } from "./review.ts"
import { requestReview, reviewersInWords } from "./reviewers.ts"

/** What a step of a job has: its log, its outputs and its summary. */
export interface Runner {
  /** One line of the log. A line that is a workflow command acts. */
  print(line: string): void
  warning(sentence: string): void
  error(sentence: string): void
  setOutput(name: string, value: string): void
  summary(markdown: string): Promise<void>
}

export interface ReportTo {
  readonly github: GitHub
  readonly pull: PullRequest
  /** The base branch, if it is not the default branch; otherwise null. */
  readonly into: string | null
  readonly inputs: ReviewInputs
  readonly runner: Runner
  readonly io: Pick<CliIo, "cwd" | "env">
  /** The page of the job's run. */
  readonly runUrl: string
  /** GitHub gives a job for a fork a token that may only read, on this event. */
  readonly isReadOnly: boolean
}

/**
 * Tells a review everywhere: it asks for a second one, makes the check and keeps the comment, and writes log, summary and outputs.
 *
 * What a token is not permitted to write is a warning: log, summary and exit code say the same. A review that cannot be asked for fails
 * the step, because the change would otherwise go the way of one that gives nobody more.
 *
 * @returns whether the step passes
 */
export async function report(found: Review, to: ReportTo): Promise<boolean> {
  const { github, pull, into, inputs, runner, io, runUrl, isReadOnly } = to
  const { folder, reviewers } = inputs
  const asked = await outcomeOf(() => askForReview(found, to), isReadOnly)
  const review: Review =
    asked.fault === null
      ? found
      : {
          ...found,
          conclusion: "failure",
          headline: `${found.headline}\n\nNo second review was asked for: ${asked.fault}`,
        }
  const remarks = asked.value ? [`${reviewersInWords(reviewers, github.owner)}: please review this, too.`] : []
  const isQuiet = found.sections.length === 0 && found.conclusion === "success"
  const check = await outcomeOf(
    () => makeCheck(github, review, { headSha: pull.headSha, folder, into, remarks, url: runUrl }),
    isReadOnly,
  )
  const comment = await outcomeOf(
    () => keepComment(github, review, { number: pull.number, folder, remarks, isNew: !isQuiet }),
    isReadOnly,
  )

  for (const line of [plain(review.headline), ...remarks]) runner.print(line)
  for (const { title, lines } of review.sections)
    for (const line of ["", `${title}:`, ...lines]) runner.print(inert(line))
  if (check.fault !== null) {
    for (const line of annotations({ tool: "review", folder, findings: review.findings }, io)) runner.print(line)
  }
  await runner.summary(markdownOf(review, [`### Daypass review of \`${folder || "."}\``, ...remarks], MAX_STEP_SUMMARY))
  runner.setOutput("widens", String(review.widens !== false))
  runner.setOutput("widening", review.widening)
  runner.setOutput("conclusion", review.conclusion)
  const unsaid = [
    ...(check.fault === null ? [] : [{ ...check, sentence: `The check was not made: ${check.fault}` }]),
    ...(comment.fault === null ? [] : [{ ...comment, sentence: `The comment was not written: ${comment.fault}` }]),
  ]
  for (const { sentence, isPermission } of unsaid) (isPermission ? runner.warning : runner.error)(sentence)
  if (asked.fault !== null) runner.error(`No second review was asked for: ${asked.fault}`)
  // A comment that could not be renewed says what an earlier version of the pull request did.
  const isUnapproved = inputs.approved !== "" && review.conclusion === "action_required"
  return review.conclusion !== "failure" && !isUnapproved && unsaid.every(({ isPermission }) => isPermission)
}

/** True when somebody is asked now. */
async function askForReview({ conclusion }: Review, { github, pull, inputs }: ReportTo): Promise<boolean> {
  const { reviewers } = inputs
  if (conclusion !== "action_required" || reviewers.teams.length + reviewers.people.length === 0) return false
  await requestReview(github, pull, reviewers)
  return true
}

type Outcome<Value> =
  | { readonly value: Value; readonly fault: null; readonly isPermission: false }
  | { readonly value: null; readonly fault: string; readonly isPermission: boolean }

async function outcomeOf<Value>(act: () => Promise<Value>, isReadOnly: boolean): Promise<Outcome<Value>> {
  try {
    return { value: await act(), fault: null, isPermission: false }
  } catch (error) {
    if (!(error instanceof GitHubError || error instanceof ReviewError)) throw error
    const isPermission = error instanceof GitHubError && error.reason === "permission"
    const fault = isPermission && isReadOnly ? READ_ONLY : error.message
    return { value: null, fault: `${fault.replace(/\.$/, "")}.`, isPermission }
  }
}

const READ_ONLY =
  "GitHub gives this job, for a fork or by Dependabot, a token that may only read. Start the workflow on pull_request_target"

const plain = (markdown: string) => markdown.replaceAll("**", "")

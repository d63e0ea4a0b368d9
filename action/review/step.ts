import { GitHubError } from "../../cli/github/github-error.ts"
import type { CliIo } from "../../cli/io.ts"
import { ReviewError } from "./failure.ts"
import { findFolder, readFolders, refuseEncodings } from "./git-files.ts"
import { connectGitHub, type GitHub } from "./github.ts"
import { type ReviewInputs, readInputs } from "./inputs.ts"
import { findMerge, type Merge, type PullRequest, pullRequestOf } from "./pull-request.ts"
import { recordOf } from "./record.ts"
import { type Runner, report } from "./report.ts"
import { type Review, reviewFiles, UNCHANGED } from "./review.ts"

/** A step of a job, as it finds itself. */
export interface Step {
  readonly runner: Runner
  readonly io: CliIo
  /** The trimmed text of an input. */
  input(name: string): string
  /** The webhook's payload. */
  readonly event: unknown
}

/**
 * Reviews the pull request that started this job. Reads its files by GitHub's API, as data: there is no checkout, and nothing of
 * the pull request is executed. So it may run with the rights of the base repository.
 *
 * @returns whether the step passes
 */
export async function runStep({ runner, io, input, event }: Step): Promise<boolean> {
  const { env, now } = io
  const { GITHUB_API_URL: url = "https://api.github.com", GITHUB_REPOSITORY: repository = "" } = env
  const eventName = env["GITHUB_EVENT_NAME"] ?? ""
  try {
    const pull = pullRequestOf(eventName, event)
    const inputs = readInputs(input, repository.split("/")[0] ?? "")
    const github = connectGitHub({ url, token: inputs.token, repository, now })
    const merge = await findMerge(github, pull)
    const review = await reviewOf(github, pull, merge, inputs, io)
    const into = merge.baseRef === pull.defaultBranch ? null : merge.baseRef
    const runUrl = `${env["GITHUB_SERVER_URL"] ?? "https://github.com"}/${repository}/actions/runs/${env["GITHUB_RUN_ID"] ?? ""}`
    const isReadOnly = eventName === "pull_request" && (pull.isFork || env["GITHUB_ACTOR"] === "dependabot[bot]")
    return await report(review, { github, pull, into, inputs, runner, io, runUrl, isReadOnly })
  } catch (error) {
    if (!(error instanceof ReviewError || error instanceof GitHubError)) throw error
    runner.error(`The pull request was not reviewed. ${error.message.replace(/\.$/, "")}.`)
    return false
  }
}

async function reviewOf(
  github: GitHub,
  pull: PullRequest,
  { baseSha, mergeSha }: Merge,
  inputs: ReviewInputs,
  io: CliIo,
): Promise<Review> {
  const { folder } = inputs
  const [before, after] = await Promise.all([findFolder(github, baseSha, folder), findFolder(github, mergeSha, folder)])
  if (after !== null) await refuseEncodings(github, after)
  if (before !== null && before.treeSha === after?.treeSha) return UNCHANGED
  const [old = null, next = null] = await readFolders(github, [before, after])
  return reviewFiles(old, next, inputs, recordOf(inputs.record, pull.isFork, io))
}

import * as z from "zod"
import { visible } from "../../broker/core/policy/faults.ts"
import { type Finding, worstFirst } from "../../cli/format.ts"
import type { GitHub } from "./github.ts"
import { MAX_SUMMARY, markdownOf } from "./markdown.ts"
import { parsed } from "./pull-request.ts"
import type { Review } from "./review.ts"

/** GitHub takes so many in one call. */
const ANNOTATIONS_A_CALL = 50
const MAX_ANNOTATIONS = 250
const MAX_MESSAGE_CHARACTERS = 16_000

const LEVELS = { error: "failure", warning: "warning", notice: "notice" } as const

export interface CheckAbout {
  readonly headSha: string
  readonly folder: string
  /** The base branch, if it is not the default branch; otherwise null. */
  readonly into: string | null
  readonly remarks: readonly string[]
  /** The page of the job's run. */
  readonly url: string
}

/**
 * Makes a check of the pull request's newest commit, with annotations on the lines of its files.
 *
 * Its name has the base branch, unless that is the default branch. A check belongs to a commit, and a commit can be the head of several
 * pull requests: one into a branch that has the wide policies already must not pass the check of one into the default branch.
 *
 * @throws {GitHubError}
 */
export async function makeCheck(github: GitHub, review: Review, about: CheckAbout): Promise<void> {
  const { headSha, folder, into, remarks, url } = about
  const what = "the checks of the commit"
  const sorted = worstFirst(review.findings)
  const annotations = sorted.slice(0, MAX_ANNOTATIONS).map((finding) => annotationOf(finding, folder))
  const left = sorted.length - annotations.length
  const more = left === 0 ? [] : [`${left} more places have no annotation. The report below names them.`]
  const output = {
    title: titleOf(review),
    summary: markdownOf({ ...review, headline: [review.headline, ...remarks, ...more].join("\n\n") }, [], MAX_SUMMARY),
  }
  const made = await github.call({
    what,
    route: "POST /repos/{owner}/{repo}/check-runs",
    success: 201,
    // The first call after the analysis, on a connection that GitHub may have closed meanwhile. Of two checks, the last one counts.
    isRepeatable: true,
    parameters: {
      name: `Daypass review: ${folder || "."}${into === null ? "" : ` into ${into}`}`,
      head_sha: headSha,
      details_url: url,
      status: "completed",
      conclusion: review.conclusion,
      output: { ...output, annotations: annotations.slice(0, ANNOTATIONS_A_CALL) },
    },
  })
  const { id } = parsed(z.object({ id: z.number() }), made, what)
  // GitHub adds the annotations of an update to those that are there.
  for (let at = ANNOTATIONS_A_CALL; at < annotations.length; at += ANNOTATIONS_A_CALL) {
    const next = annotations.slice(at, at + ANNOTATIONS_A_CALL)
    const route = `PATCH /repos/{owner}/{repo}/check-runs/${id}`
    await github.call({ what, route, parameters: { output: { ...output, annotations: next } } })
  }
}

function titleOf({ conclusion, widens }: Review): string {
  if (conclusion === "failure") return "The policies must be corrected"
  if (conclusion === "action_required") return "A job gets more: a second review is needed"
  return widens ? "A job gets more, and that is approved" : "No job gets more"
}

const annotationOf = ({ severity, code, file, line, message, page }: Finding, folder: string) => ({
  path: folder === "" ? file : `${folder}/${file}`,
  start_line: line,
  end_line: line,
  annotation_level: LEVELS[severity],
  title: code,
  message: visible(page === undefined ? message : `${message} See ${page}`).slice(0, MAX_MESSAGE_CHARACTERS),
})

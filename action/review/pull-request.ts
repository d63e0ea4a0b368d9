import { setTimeout as sleep } from "node:timers/promises"
import * as z from "zod"
import { ReviewError } from "./failure.ts"
import type { GitHub } from "./github.ts"

/** The pull request that started this job. */
export interface PullRequest {
  readonly number: number
  /** The commit that the event is about. */
  readonly headSha: string
  readonly author: string
  readonly defaultBranch: string
  /** Whether its commits come from another repository. */
  readonly isFork: boolean
}

/** What a merge would put into the base branch. */
export interface Merge {
  readonly baseSha: string
  readonly mergeSha: string
  /** The name of the base branch. */
  readonly baseRef: string
}

const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)
const repository = z.object({ id: z.number() })
const eventSchema = z.object({
  pull_request: z.object({
    number: z.int().positive(),
    // The repository of a fork can be deleted while its pull request is open.
    head: z.object({ sha, repo: repository.nullable() }),
    base: z.object({ repo: repository }),
    user: z.object({ login: z.string() }),
  }),
  repository: z.object({ default_branch: z.string() }),
})
const pullSchema = z.object({
  state: z.string(),
  head: z.object({ sha }),
  base: z.object({ ref: z.string() }),
  mergeable: z.boolean().nullish(),
  merge_commit_sha: sha.nullish(),
})
const refSchema = z.object({ object: z.object({ sha }) })
const compareSchema = z.object({ status: z.string() })
const commitSchema = z.object({ parents: z.array(z.object({ sha })) })

const EVENTS: readonly string[] = ["pull_request", "pull_request_target"]

/** Reads the event that started the job. @throws {ReviewError} */
export function pullRequestOf(name: string, event: unknown): PullRequest {
  if (!EVENTS.includes(name))
    throw new ReviewError(
      `This action reviews pull requests. Start its workflow on pull_request_target, not on ${name}.`,
    )
  const parsed = eventSchema.safeParse(event)
  if (!parsed.success) throw new ReviewError("The event of this job does not describe a pull request.")
  const { number, head, base, user } = parsed.data.pull_request
  const { default_branch: defaultBranch } = parsed.data.repository
  // Ids: names can be taken over, and GitHub marks a pull request inside of a fork as one from a fork.
  return { number, headSha: head.sha, author: user.login, defaultBranch, isFork: head.repo?.id !== base.repo.id }
}

/** GitHub makes the test merge in the background, after a push to either branch. */
const ATTEMPTS = 20
const PAUSE_MS = 1_000

/**
 * Finds GitHub's own test merge of the pull request, whose parents are the base branch and the head. Comparing these two commits says
 * what a merge changes. Comparing the two branches would report what the base branch got in the meantime as taken away.
 *
 * @throws {ReviewError} when it is closed, cannot be merged, or has newer commits
 * @throws {GitHubError}
 */
export async function findMerge(github: GitHub, { number, headSha }: PullRequest): Promise<Merge> {
  for (let attempt = 1; ; attempt++) {
    const what = `the pull request ${number}`
    const asked = await github.call({ what, route: `GET /repos/{owner}/{repo}/pulls/${number}` })
    const pull = parsed(pullSchema, asked, what)
    if (pull.state !== "open")
      throw new ReviewError(`The pull request ${number} is not open: there is nothing to review.`)
    if (pull.head.sha !== headSha)
      throw new ReviewError(
        `The pull request ${number} has other commits by now than the one of this run. The run for its newest commit reviews it.`,
      )
    if (pull.mergeable === false)
      throw new ReviewError(
        "The pull request conflicts with its base branch, so what it changes is not known. Resolve that.",
      )
    if (pull.mergeable && pull.merge_commit_sha) {
      const route = `GET /repos/{owner}/{repo}/git/commits/${pull.merge_commit_sha}`
      const { parents } = parsed(commitSchema, await github.call({ what: "the test merge", route }), "the test merge")
      const [base, head] = parents
      // Another head, or a commit of another branch: an earlier merge, which GitHub has not renewed yet. Without this, a pull request
      // that changes its base branch at the right moment would be compared with the branch that it left.
      if (base !== undefined && head?.sha === headSha && (await isOnBranch(github, base.sha, pull.base.ref)))
        return { baseSha: base.sha, mergeSha: pull.merge_commit_sha, baseRef: pull.base.ref }
    }
    if (attempt === ATTEMPTS)
      throw new ReviewError("GitHub has not merged the pull request on trial yet. Run this job again in a minute.")
    await sleep(PAUSE_MS)
  }
}

/** Whether a commit is the tip of a branch, or below it. By hashes: a tag can have the name of a branch. @throws {GitHubError} */
async function isOnBranch(github: GitHub, commit: string, branch: string): Promise<boolean> {
  const what = "the base branch"
  const route = "GET /repos/{owner}/{repo}/git/ref/{ref}"
  const answer = await github.call({ what, route, parameters: { ref: `heads/${branch}` } })
  const tip = parsed(refSchema, answer, what).object.sha
  if (tip === commit) return true
  // The second page of one commit each: only the status is of interest, and not the files.
  const compared = await github.call({
    what,
    route: `GET /repos/{owner}/{repo}/compare/${commit}...${tip}`,
    parameters: { per_page: 1, page: 2 },
  })
  return parsed(compareSchema, compared, what).status === "ahead"
}

/** What GitHub answered, if it has the form that its documentation promises. @throws {ReviewError} */
export function parsed<Schema extends z.ZodType>(schema: Schema, answer: unknown, what: string): z.infer<Schema> {
  const result = schema.safeParse(answer)
  if (result.success) return result.data
  throw new ReviewError(
    `GitHub described ${what} in an unexpected form. Check GITHUB_API_URL, and look for a newer release.`,
  )
}

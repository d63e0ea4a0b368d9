import * as z from "zod"
import type { Identity } from "../../core/identity.ts"
import type { Approval, ApprovalFact } from "../../core/policy/break-glass.ts"
import type { Clock } from "../../ports/clock.ts"
import type { GitHubApp } from "./app.ts"
import { stepOf } from "./git-objects.ts"
import { explainRefusal } from "./sentences.ts"

const REQUEST_TIMEOUT_MS = 10_000
const MAX_BYTES = 256 * 1024

/** GitHub's "Get the review history for a workflow run". It has neither the time of a review nor the run's attempt. */
const reviewsSchema = z.array(
  z.object({
    state: z.string(),
    comment: z.string().nullish(),
    environments: z.array(z.object({ name: z.string() })).nullish(),
    user: z.object({ login: z.string(), id: z.int().positive(), type: z.string() }).nullish(),
  }),
)

type Review = z.infer<typeof reviewsSchema>[number]

/**
 * Asks GitHub who approved the job's environment in the job's run. Needs the App's permission to read Actions.
 *
 * Only the first attempt of a run counts. A later attempt has the reviews of the earlier ones in its list, so a person could
 * get one run approved, and start it again for another purpose.
 */
export async function approvalsAtGitHub(app: GitHubApp, identity: Identity, clock: Clock): Promise<ApprovalFact> {
  const { environment, unit: repository, unitId: repositoryId, runId, runAttempt } = identity
  if (environment === undefined) return unknown("the job runs in no environment")
  if (runAttempt !== "1")
    return unknown("GitHub does not say which attempt of a run was approved, so only the first counts")
  if (!/^[1-9][0-9]{0,15}$/.test(runId)) return unknown("the token does not say which run the job belongs to")
  const path = `/actions/runs/${runId}/approvals`
  const deadline = clock.elapsed() + REQUEST_TIMEOUT_MS
  const answer = await app.get({ repositoryId, permission: "actions", path, maxBytes: MAX_BYTES, deadline })
  const step = stepOf(answer, reviewsSchema, "the approvals")
  if (step.outcome === "ok") return { known: true, approvals: approvalsIn(step.value, environment), startedBy: [] }
  if (step.outcome === "no-access" && step.why === "not-visible") {
    return unknown(`GitHub shows no run ${runId} of ${repository} to the broker's GitHub App`)
  }
  return unknown(
    `who approved it is unknown. ${explainRefusal(step, { repository, permission: "actions", now: clock.now() })}`,
  )
}

const unknown = (reason: string): ApprovalFact => ({ known: false, reason })

/**
 * The approvals of one environment by people. An App can be made to approve by the person who started the run. Somebody who
 * rejected the environment in this run did not approve it: the list does not say what they said last.
 */
function approvalsIn(reviews: readonly Review[], environment: string): readonly Approval[] {
  // GitHub ignores the case of names.
  const wanted = environment.toLowerCase()
  const about = reviews.filter(({ environments }) => environments?.some(({ name }) => name.toLowerCase() === wanted))
  const rejected = new Set(about.filter(({ state }) => state === "rejected").map(({ user }) => user?.id))
  return about.flatMap(({ state, comment, user }): Approval[] => {
    if (state !== "approved" || user?.type !== "User" || rejected.has(user.id)) return []
    return [{ approver: user.login, approverId: String(user.id), comment: comment ?? "" }]
  })
}

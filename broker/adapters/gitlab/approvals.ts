import * as z from "zod"
import type { Identity } from "../../core/identity.ts"
import type { Approval, ApprovalFact } from "../../core/policy/break-glass.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Answer, GitLabApi } from "./api.ts"

const REQUESTS_TIMEOUT_MS = 10_000
/** The job's deployment must be among the newest ones of its environment. One takes a few thousand bytes in a list. */
const NEWEST = 20

const userSchema = z.object({ id: z.int().positive(), username: z.string() })
const approvalSchema = z.object({ user: userSchema.nullish(), status: z.string(), comment: z.string().nullish() })

const deploymentSchema = z.object({
  id: z.int().positive(),
  environment: z.object({ name: z.string() }),
  user: userSchema.nullish(),
  /** Null for a deployment that the API made, without a job. */
  deployable: z.object({ id: z.int().positive(), user: userSchema.nullish() }).nullish(),
})

/** One deployment alone has its approvals: in a list, or below the rules that asked for them. */
const approvedSchema = deploymentSchema.extend({
  approvals: z.array(approvalSchema).nullish(),
  approval_summary: z
    .object({ rules: z.array(z.object({ deployment_approvals: z.array(approvalSchema).nullish() })) })
    .nullish(),
})

type Approved = z.infer<typeof approvedSchema>

/**
 * Asks GitLab who approved the deployment that the job is (REST API, "Deployments"). Needs the access token of
 * `createGitLabEnvironments`. A job that is tried again is another job with another deployment, so it needs new approvals.
 */
export async function approvalsAtGitLab(api: GitLabApi, identity: Identity, clock: Clock): Promise<ApprovalFact> {
  // A job is the attempt of a pipeline, in the family's words.
  const { environment, unit: project, unitId, runAttempt: jobId } = identity
  if (environment === undefined) return unknown("the job runs in no environment")
  if (!isId(unitId) || !isId(jobId)) return unknown("the token does not say which job it is of")
  const deadline = clock.elapsed() + REQUESTS_TIMEOUT_MS
  const path = `/projects/${unitId}/deployments`
  const newest = `?environment=${encodeURIComponent(environment.toWellFormed())}&order_by=id&sort=desc&per_page=${NEWEST}`
  const isOfJob = ({ deployable, environment: { name } }: Pick<Approved, "deployable" | "environment">) =>
    String(deployable?.id) === jobId && name === environment

  const listed = read(await api(`${path}${newest}`, deadline), z.array(deploymentSchema), project)
  if ("known" in listed) return listed
  const found = listed.value.find(isOfJob)
  if (found === undefined) {
    return unknown(
      `GitLab shows no deployment of this job among the newest ${NEWEST} of ${JSON.stringify(environment)}`,
    )
  }
  const one = read(await api(`${path}/${found.id}`, deadline), approvedSchema, project)
  if ("known" in one) return one
  if (one.value.id !== found.id || !isOfJob(one.value)) return UNEXPECTED
  return { known: true, approvals: approvalsIn(one.value), startedBy: startersOf(one.value) }
}

const unknown = (reason: string): ApprovalFact => ({ known: false, reason })
const UNEXPECTED = unknown("who approved it is unknown. GitLab described the deployment in an unexpected form")

const isId = (text: string) => /^[1-9][0-9]{0,15}$/.test(text)

function read<Schema extends z.ZodType>(
  answer: Answer,
  schema: Schema,
  project: string,
): { readonly value: z.infer<Schema> } | ApprovalFact {
  if (answer.outcome === "refused") return unknown(`who approved it is unknown. ${answer.reason}`)
  if (answer.outcome === "absent")
    return unknown(`GitLab does not show the deployments of ${project} to the broker's access token`)
  const parsed = schema.safeParse(answer.body)
  return parsed.success ? { value: parsed.data } : UNEXPECTED
}

const startersOf = ({ user, deployable }: Approved): readonly string[] =>
  [user, deployable?.user].flatMap((one) => (one ? [String(one.id)] : []))

/** Users that GitLab makes for the access tokens of projects and groups: a person who made one can approve with it. */
const TOKENS_USER = /^(?:project|group)_[0-9]+_bot/

function approvalsIn({ approvals, approval_summary: summary }: Approved): readonly Approval[] {
  const all = [...(approvals ?? []), ...(summary?.rules ?? []).flatMap((rule) => rule.deployment_approvals ?? [])]
  const rejected = new Set(all.filter(({ status }) => status === "rejected").map(({ user }) => user?.id))
  return all.flatMap(({ user, status, comment }): Approval[] => {
    if (!user || status !== "approved" || rejected.has(user.id) || TOKENS_USER.test(user.username)) return []
    return [{ approver: user.username, approverId: String(user.id), comment: comment ?? "" }]
  })
}

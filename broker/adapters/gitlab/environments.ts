import * as z from "zod"
import type { Identity } from "../../core/identity.ts"
import type { EnvironmentProtection, ProtectionFact } from "../../core/policy/environment-protection.ts"
import type { Clock } from "../../ports/clock.ts"
import type { Environments } from "../../ports/environments.ts"
import { createBoundedCache } from "../memory/bounded-cache.ts"
import { keptApprovals } from "../memory/kept-approvals.ts"
import type { Answer, GitLabApi } from "./api.ts"
import { approvalsAtGitLab } from "./approvals.ts"

export interface GitLabEnvironmentsOptions {
  readonly api: GitLabApi
  /** The issuer whose projects the access token can read: the exact `iss`. */
  readonly issuerUrl: string
  readonly clock: Clock
}

const KNOWN_MS = 5 * 60_000
/** The pause after a failure, so that the jobs of one pipeline do not each wait for a GitLab that does not answer. */
const UNKNOWN_MS = 3_000
const MAX_ENVIRONMENTS = 5_000
const REQUESTS_TIMEOUT_MS = 10_000

/** Approval rules replace the count, which older servers have alone. */
const environmentSchema = z.object({
  name: z.string(),
  required_approval_count: z.int().nonnegative().nullish(),
  approval_rules: z.array(z.object({ required_approvals: z.int().nonnegative() })).nullish(),
})

/** The flag is missing on older servers, and without the licence for protected environments. */
const projectSchema = z.object({
  id: z.int().positive(),
  allow_pipeline_trigger_approve_deployment: z.boolean().nullish(),
})

/**
 * Asks GitLab how environments are protected (REST API, "Protected environments" and "Projects"), and who approved a job. Needs an access token with
 * the scope `read_api` and the role Maintainer. GitLab has no limit of an environment to branches, and its groups' protected
 * environments are not read.
 *
 * A protection is cached for five minutes, approvals for three seconds. Never throws: on any failure they are unknown, with a sentence
 * that says what to change.
 */
export function createGitLabEnvironments({ api, issuerUrl, clock }: GitLabEnvironmentsOptions): Environments {
  const facts = createBoundedCache<{ readonly fact: ProtectionFact; readonly until: number }>(MAX_ENVIRONMENTS)
  const approvalsOf = keptApprovals((identity) => approvalsAtGitLab(api, identity, clock), clock)

  return {
    async protectionOf(identity) {
      const { environment, unitId } = identity
      if (identity.issuerUrl !== issuerUrl) return unknown("The broker's access token does not serve this issuer")
      if (environment === undefined) return unknown("The job runs in no environment: name one in the job")
      const unheld = whyNotHeld(identity)
      if (unheld !== null) return unknown(unheld)
      const key = JSON.stringify([unitId, environment])
      const startedAt = clock.elapsed()
      const kept = facts.get(key)
      if (kept !== undefined && startedAt < kept.until) return kept.fact

      const fact = await ask(api, identity, environment, startedAt + REQUESTS_TIMEOUT_MS)
      facts.set(key, { fact, until: startedAt + (fact.known ? KNOWN_MS : UNKNOWN_MS) })
      return fact
    },

    async approvalsOf(identity) {
      if (identity.issuerUrl !== issuerUrl) return unknown("The broker's access token does not serve this issuer")
      return await approvalsOf(identity)
    },
  }
}

const unknown = (reason: string) => ({ known: false, reason: `${reason}.` }) as const

/**
 * Why GitLab does not hold this job back until it is approved; null when it does. GitLab holds back deployments only: a job
 * whose environment has the action `verify` runs in a protected environment without any approval.
 */
function whyNotHeld({ claims }: Identity): string | null {
  const action = claims["environment_action"]
  if (action === "start") return null
  if (typeof action !== "string") {
    return "The token does not say what the job does with its environment (environment_action), and only deployments wait for approval: update the GitLab server"
  }
  return "Only deployments wait for approval, and this job is none: write `action: start` below its `environment`, or leave the action out"
}

async function ask(
  api: GitLabApi,
  { unitId, unit }: Identity,
  name: string,
  deadline: number,
): Promise<ProtectionFact> {
  // As segments of a path, . and .. lead to another resource, and encoding does not change them.
  if (!/^[1-9][0-9]{0,15}$/.test(unitId) || name === "" || name === "." || name === ".." || !name.isWellFormed()) {
    return unknown("GitLab cannot be asked about an environment with this name")
  }
  const project = `/projects/${unitId}`
  const answers = await Promise.all([
    api(`${project}/protected_environments/${encodeURIComponent(name)}`, deadline),
    api(project, deadline),
  ])
  for (const answer of answers) {
    if (answer.outcome === "refused") return unknown(`The protection of the environment is unknown. ${answer.reason}`)
    if (answer.outcome === "absent") return unknown(notShown(answer, unit, name))
  }
  const [environment, itsProject] = answers.map((answer) => (answer.outcome === "ok" ? answer.body : undefined))
  const protection = protectionIn(environment, itsProject, { name, unitId })
  if (protection !== null) return { known: true, protection }
  return unknown("The protection of the environment is unknown. GitLab described it in an unexpected form")
}

/** GitLab's message when the project does not exist, or is not visible to the token. */
const NO_PROJECT = "404 Project Not Found"

function notShown({ message }: Extract<Answer, { outcome: "absent" }>, project: string, name: string): string {
  return message === NO_PROJECT
    ? `GitLab does not show ${project} to the broker's access token: give the token's user the role Maintainer in it`
    : `GitLab shows no protected environment ${JSON.stringify(name)} of ${project}: protect it in the project itself, because what its groups protect is not read`
}

/** Pure. Null when the answers are not about this environment of this project. */
function protectionIn(
  environment: unknown,
  project: unknown,
  asked: { readonly name: string; readonly unitId: string },
): EnvironmentProtection | null {
  const protectedOne = environmentSchema.safeParse(environment)
  const itsProject = projectSchema.safeParse(project)
  if (!protectedOne.success || !itsProject.success) return null
  const { name, required_approval_count: count, approval_rules: rules } = protectedOne.data
  if (name !== asked.name || String(itsProject.data.id) !== asked.unitId) return null
  const counts = rules?.length ? rules.map((rule) => rule.required_approvals) : [count ?? 0]
  const requiredReviewers = counts.some((approvals) => approvals > 0)
  return {
    requiredReviewers,
    preventSelfReview: requiredReviewers && itsProject.data.allow_pipeline_trigger_approve_deployment === false,
    deploymentBranches: "all",
  }
}

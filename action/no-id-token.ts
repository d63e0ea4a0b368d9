import { ActionError } from "./failure.ts"
import { memberOf } from "./json.ts"
import type { JobFacts } from "./runner.ts"

/** Why the runner offers this job no ID token endpoint: Dependabot, a fork, or a missing permission. */
export function noIdTokenEndpoint(job: JobFacts): ActionError {
  if (job.actor === "dependabot[bot]") {
    // GitHub's documentation of Dependabot on Actions: such runs are read-only by default, and `permissions` raises that.
    const message = "Dependabot started this run, and GitHub gives it an ID token only if the job itself asks for it."
    return new ActionError("id_token_dependabot", message)
  }
  if (FORK_EVENTS.has(job.eventName) && comesFromFork(job.event)) {
    const server = job.isForgejo ? "Forgejo" : "GitHub"
    return new ActionError("id_token_fork", `This pull request comes from a fork, and ${server} gives it no ID token.`)
  }
  if (job.isForgejo) {
    return new ActionError("id_token_permission_missing", "This job did not ask for ID tokens.", { change: ON_FORGEJO })
  }
  return new ActionError("id_token_permission_missing", "This job has no permission to request an ID token.")
}

const ON_FORGEJO =
  "Add `enable-openid-connect: true` to the job or the workflow, on Forgejo 15 or newer with a runner of version 12.5 or newer; `permissions` does nothing there."

/** Not `pull_request_target`: it runs with the permissions of the base repository, whatever the head is. */
const FORK_EVENTS: ReadonlySet<string> = new Set(["pull_request", "pull_request_review", "pull_request_review_comment"])

/** Compares ids: in a pull request inside a fork, head and base are the same repository, although it is marked as a fork. */
function comesFromFork(event: unknown): boolean {
  const pullRequest = memberOf(event, "pull_request")
  const head = memberOf(memberOf(pullRequest, "head"), "repo")
  const base = memberOf(memberOf(pullRequest, "base"), "repo")
  const headId = memberOf(head, "id")
  const baseId = memberOf(base, "id")
  if (headId !== undefined && baseId !== undefined) return headId !== baseId
  return memberOf(head, "fork") === true || (pullRequest !== undefined && head === null)
}

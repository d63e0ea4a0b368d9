/** Claims by which CI issuers tell facts about a job, and those that RFC 7519 registers. */
const JOB_CLAIMS: ReadonlySet<string> = new Set([
  "iss",
  "sub",
  "aud",
  "exp",
  "nbf",
  "iat",
  "jti",
  "repository",
  "repository_id",
  "repository_owner",
  "repository_owner_id",
  "repository_visibility",
  "actor",
  "actor_id",
  "enterprise",
  "enterprise_id",
  "event_name",
  "ref",
  "ref_type",
  "ref_protected",
  "head_ref",
  "base_ref",
  "sha",
  "run_id",
  "run_number",
  "run_attempt",
  "check_run_id",
  "environment",
  "environment_node_id",
  "runner_environment",
  "runner_id",
  "workflow",
  "workflow_ref",
  "workflow_sha",
  "job_workflow_ref",
  "job_workflow_sha",
  "subject_issuer",
  "grant",
])

/**
 * Whether a claim's name belongs to the facts about a job. A policy may add claims to an identity token, but none of
 * these: whoever trusts the token reads them as proven.
 */
export function isJobClaim(name: string): boolean {
  return JOB_CLAIMS.has(name) || name.startsWith("repo_property_")
}

/**
 * Claims of the broker's identity token that contain the name of a repository, an owner or a person. Names can be given up
 * and taken by others; `repository_id` and `repository_owner_id` stay.
 */
const NAME_CLAIMS: ReadonlySet<string> = new Set([
  "repository",
  "repository_owner",
  "actor",
  "triggering_actor",
  "workflow_ref",
  "job_workflow_ref",
])

export const isNameClaim = (claim: string): boolean => NAME_CLAIMS.has(claim)

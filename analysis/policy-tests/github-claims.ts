import { claimNames } from "../../broker/core/families/families.ts"
import type { Claims, ClaimValue } from "../../broker/core/identity.ts"
import type { Sample } from "./samples.ts"

/** Looks up ids by the names in a policy folder. */
export interface KnownIds {
  /** The id that the organisation file lists for an owner. */
  owner(name: string): string | undefined
  /** The id that the policies have for a repository, if they all have the same one. */
  repository(name: string): string | undefined
}

/** Stands for an id that a policy folder does not know. Ids have at most 64 bits, so no real id is 20 nines. */
export const UNUSED_ID = "99999999999999999999"

/** Every claim that GitHub Actions is known to send, except `repo_property_*`. */
export const GITHUB_CLAIMS: readonly string[] = claimNames("github-actions")

/** By claim: the claims that depend on it, and that a test must not inherit when it changes that claim. */
export const FOLLOWS_REPOSITORY: ReadonlyMap<string, readonly string[]> = new Map([
  ["repository", ["repository_id", "repository_owner", "repository_owner_id"]],
  ["repository_owner", ["repository_owner_id"]],
])

/**
 * The claims of a GitHub Actions token: those of the sample, with the test's changes and omissions. Claims that depend on
 * others are derived as GitHub derives them. A claim that the test sets itself is never derived.
 */
export function githubClaims(
  sample: Sample,
  changes: Readonly<Record<string, string>>,
  without: ReadonlySet<string>,
  ids: KnownIds,
): Claims {
  const claims: Record<string, ClaimValue> = Object.assign(Object.create(null), sample.claims, changes)
  const drop = () => {
    for (const name of without) delete claims[name]
  }
  const derive = (name: string, value: string) => {
    claims[name] ??= value
  }
  const text = (name: string) => String(claims[name] ?? "")
  drop()

  // Without an environment, a job does not have the claims of one.
  if (claims["environment"] === undefined && changes["environment_node_id"] === undefined) {
    delete claims["environment_node_id"]
  }
  // Only the repository knows which other refs are protected. "false" is the assumption that gives no access.
  if (changes["ref_protected"] === undefined && text("ref") !== sample.claims["ref"]) claims["ref_protected"] = "false"

  derive("repository_owner", text("repository").split("/", 1)[0] ?? "")
  derive("repository_owner_id", ids.owner(text("repository_owner")) ?? UNUSED_ID)
  derive("repository_id", ids.repository(text("repository")) ?? UNUSED_ID)
  derive("ref_type", text("ref").startsWith("refs/tags/") ? "tag" : "branch")
  derive("workflow_ref", `${text("repository")}/.github/workflows/${workflowFile(text("event_name"))}@${text("ref")}`)
  derive("job_workflow_ref", text("workflow_ref"))
  derive("sub", subjectOf(sample.subject, claims))
  drop()
  return claims
}

const workflowFile = (event: string) => (event === "pull_request" ? "ci.yml" : "deploy.yml")

function subjectOf(form: Sample["subject"], claims: Claims): string {
  const text = (name: string) => String(claims[name] ?? "").replaceAll(":", "%3A")
  const [owner, name] = String(claims["repository"]).split("/")
  const repository =
    form === "names" ? `${owner}/${name}` : `${owner}@${text("repository_owner_id")}/${name}@${text("repository_id")}`
  if (claims["environment"] !== undefined) return `repo:${repository}:environment:${text("environment")}`
  if (claims["event_name"] === "pull_request") return `repo:${repository}:pull_request`
  return `repo:${repository}:ref:${text("ref")}`
}

import { claimNames } from "../../broker/core/claims/families.ts"
import type { Claims, ClaimValue } from "../../broker/core/identity.ts"
import type { Sample } from "./samples.ts"

/** Ids by the names that a policy folder has for them. */
export interface KnownIds {
  /** The id that the organisation file lists for an owner. */
  owner(name: string): string | undefined
  /** The id that the policies have for a repository, when all of them have the same. */
  repository(name: string): string | undefined
}

/** The id of whom a policy folder does not know. Ids have 64 bits at most, so nobody has it: 20 digits, all nines. */
export const NOBODYS_ID = "99999999999999999999"

/** Every claim that GitHub Actions is known to send, besides `repo_property_*`. */
export const GITHUB_CLAIMS: readonly string[] = claimNames("github-actions")

/** What a repository is known by, and the claims that go with it when a test names another one. */
export const FOLLOWS_REPOSITORY: ReadonlyMap<string, readonly string[]> = new Map([
  ["repository", ["repository_id", "repository_owner", "repository_owner_id"]],
  ["repository_owner", ["repository_owner_id"]],
])

/**
 * The claims of a token of GitHub Actions: the sample's, with changes, without what is left out, and with everything
 * that follows from these as GitHub makes it follow. What the changes say themselves is never derived.
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

  // A test that leaves the environment out, leaves out what only jobs of an environment have.
  if (claims["environment"] === undefined && changes["environment_node_id"] === undefined) {
    delete claims["environment_node_id"]
  }
  // Which other refs are protected is the repository's to say: nothing is assumed that would open anything.
  if (changes["ref_protected"] === undefined && text("ref") !== sample.claims["ref"]) claims["ref_protected"] = "false"

  derive("repository_owner", text("repository").split("/", 1)[0] ?? "")
  derive("repository_owner_id", ids.owner(text("repository_owner")) ?? NOBODYS_ID)
  derive("repository_id", ids.repository(text("repository")) ?? NOBODYS_ID)
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

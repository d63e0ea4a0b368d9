import type { GrantKey, WrittenRepositories } from "../../core/policy/provider-schemas.ts"
import { type Connection, type Grant, namesOf } from "./grant.ts"

/**
 * Permissions that are not about repositories (REST API, "Create an installation access token for an app", `permissions`): all
 * `organization_*` and `enterprise_*`, and these three. The list of repositories does not narrow them.
 */
const OTHERS: ReadonlySet<string> = new Set(["members", "team_discussions", "custom_properties_for_organizations"])

const isOrganisationWide = (name: string) => /^(?:organization|enterprise)_/.test(name) || OTHERS.has(name)

export const organisationWide = ({ permissions }: Pick<Grant, "permissions">): readonly GrantKey[] =>
  Object.keys(permissions).flatMap((name) => (isOrganisationWide(name) ? [["permissions", name] as const] : []))

/**
 * Permissions that let their holder change a file on the default branch, where a repository's policies are: by pushing
 * (`contents`, `workflows`, `single_file`), or by lifting the rules that prevent it (`administration`). Not `actions`, which
 * starts and stops workflows, and not `pull_requests`, which cannot merge without `contents`.
 */
const CHANGE_FILES: ReadonlySet<string> = new Set(["contents", "workflows", "administration", "single_file"])

export function writes(
  wanted: Pick<Grant, "permissions" | "repositories">,
  { owner, owner_id: ownerId }: Pick<Connection, "owner" | "owner_id">,
): WrittenRepositories | null {
  const by = Object.entries(wanted.permissions).filter(([name, level]) => CHANGE_FILES.has(name) && level !== "read")
  if (by.length === 0) return null
  const repositories = namesOf(wanted).map((name) => `${owner}/${name}`)
  return { ownerId, repositories, by: by.map(([name, level]) => `${name}: ${level}`) }
}

import { requiredClaims } from "../../core/families/families.ts"
import { GITLAB } from "../../core/families/gitlab.ts"
import type { Claims } from "../../core/identity.ts"
import { faultOfIds, text } from "../claim-checks.ts"
import type { IssuerFamily } from "../family.ts"
import { faultOfSubject } from "./subject.ts"

/**
 * GitLab CI/CD: gitlab.com, GitLab Self-Managed and GitLab Dedicated. The issuer is the server's URL, or the one that its
 * administrator set for ID tokens.
 *
 * A token is written into the job's environment before it starts and lives as long as the job may run, so an issuer with
 * longer jobs than an hour needs `max_token_lifetime` in the organisation file.
 */
export const gitlab: IssuerFamily = {
  facts: GITLAB,
  algorithms: ["RS256"],
  keys: { by: "discovery" },
  check: faultOfProject,
}

const ID_CLAIMS = requiredClaims(GITLAB, "digits")
const OPTIONAL_IDS = ["job_project_id", "job_namespace_id"] as const
const FLAGS = ["ref_protected", "environment_protected"] as const

/** Only ASCII, as GitLab's own paths, so that a look-alike letter cannot imitate a known name. */
const PATH = /^(?:[A-Za-z0-9_.][A-Za-z0-9_.-]*\/)+[A-Za-z0-9_.][A-Za-z0-9_.-]*$/

function faultOfProject(claims: Claims): string | null {
  const fault = faultOfIds(claims, [...ID_CLAIMS, ...OPTIONAL_IDS.filter((name) => claims[name] !== null)])
  if (fault !== null) return fault
  for (const name of FLAGS) {
    const value = claims[name]
    if (value === undefined || value === null || value === "true" || value === "false") continue
    return `the claim ${name} must be the text true or false`
  }
  const path = text(claims, "project_path")
  if (!PATH.test(path)) return "the claim project_path must be a group and a name in ASCII, such as acme/shop"
  if (path.slice(0, path.lastIndexOf("/")) !== claims["namespace_path"]) {
    return "the claims project_path and namespace_path name two different groups"
  }
  return faultOfSubject(text(claims, "sub"), claims)
}

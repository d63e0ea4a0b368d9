import type { Claims } from "../../core/identity.ts"
import { disagree } from "../claim-checks.ts"

/**
 * Compares the parts of `sub` with the claims that have the same values. Returns a sentence when they disagree, else null.
 *
 * Its forms are `repo:O/R:<context>` and, for newer repositories, `repo:O-OWNERID/R-REPOID:<context>`, where the context is
 * `pull_request` or `ref:R`. A name can end like an id, so the text never decides: it is only compared.
 */
export function faultOfSubject(subject: string, claims: Claims): string | null {
  if (!subject.startsWith("repo:")) return null
  const [, repository = "", context = ""] = REPO_AND_CONTEXT.exec(subject) ?? []
  const [owner = "", name = ""] = String(claims["repository"]).split("/")
  const withIds = `${owner}-${claims["repository_owner_id"]}/${name}-${claims["repository_id"]}`
  if (repository !== claims["repository"] && repository !== withIds) return disagree("sub", "repository")
  if (context === "pull_request") return claims["event_name"] === context ? null : disagree("sub", "event_name")
  return context === `ref:${claims["ref"]}` ? null : disagree("sub", "ref")
}

const REPO_AND_CONTEXT = /^repo:([^:]+):(.*)$/s

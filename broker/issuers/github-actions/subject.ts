import type { Claims } from "../../core/identity.ts"
import { disagree } from "../claim-checks.ts"

/**
 * Compares the parts of `sub` with the claims that have the same values. Returns a sentence when they disagree, else null.
 *
 * The text of `sub` never decides: organisations can customise it, it has two standard forms, and older servers write a
 * colon inside a value raw, newer ones as `%3A`. But when `sub` names another repository than the claims, the token was
 * made by an attacker or by a faulty issuer, and gets no credentials.
 *
 * The standard forms are `repo:O/R:<context>` and `repo:O@OWNERID/R@REPOID:<context>`, where the context is
 * `environment:E`, `pull_request` or `ref:R`. A customised subject may add text after the context. A subject that does not
 * begin with `repo:` is not compared.
 */
export function faultOfSubject(subject: string, claims: Claims): string | null {
  if (!subject.startsWith("repo:")) return null
  const parts = REPO_AND_CONTEXT.exec(subject)
  if (!parts) return "the claim sub must name a repository after repo:"
  const [, owner, ownerId, name, repositoryId, context = ""] = parts

  if (`${owner}/${name}` !== claims["repository"]) return disagree("sub", "repository")
  if ((ownerId === undefined) !== (repositoryId === undefined)) return "the claim sub must contain both ids, or neither"
  if (ownerId !== undefined && ownerId !== claims["repository_owner_id"]) return disagree("sub", "repository_owner_id")
  if (repositoryId !== undefined && repositoryId !== claims["repository_id"]) return disagree("sub", "repository_id")
  return faultOfContext(context, claims)
}

const REPO_AND_CONTEXT = /^repo:([^/:@]+)(?:@([0-9]+))?\/([^/:@]+)(?:@([0-9]+))?(?::(.*))?$/s

function faultOfContext(context: string, claims: Claims): string | null {
  for (const name of ["environment", "ref"]) {
    if (context.startsWith(`${name}:`)) {
      return repeats(context.slice(name.length + 1), claims[name]) ? null : disagree("sub", name)
    }
  }
  if (context === "pull_request" || context.startsWith("pull_request:")) {
    const event = claims["event_name"]
    return typeof event === "string" && event.startsWith("pull_request") ? null : disagree("sub", "event_name")
  }
  return null
}

/** Whether `text` is the claim's value, alone or followed by the further parts of a customised subject. */
function repeats(text: string, claim: unknown): boolean {
  if (typeof claim !== "string") return false
  const [said, expected] = [withRawColons(text), withRawColons(claim)]
  return said === expected || said.startsWith(`${expected}:`)
}

/** Servers up to 3.18 write a colon inside a value raw, all others as `%3A`. Both forms count as equal. */
function withRawColons(text: string): string {
  return text.replaceAll("%3A", ":")
}

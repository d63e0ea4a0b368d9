import type { Claims } from "../../core/identity.ts"

/**
 * Compares the parts of `sub` that claims repeat with those claims; a sentence when they disagree, else null.
 *
 * Nothing is ever decided by the subject's text: organisations can customise it, it has two standard forms, and a
 * colon inside a value is `%3A` or raw depending on the server's age. But a token whose `sub` tells of another
 * repository than its claims was put together by somebody who is not to be trusted, or by a fault; neither gets
 * credentials.
 *
 * The standard forms are `repo:O/R:<context>` and `repo:O@OWNERID/R@REPOID:<context>`, where the context is
 * `environment:E`, `pull_request` or `ref:R`. A customised subject may add more behind it, or not begin with `repo:`,
 * and is then left alone.
 */
export function faultOfSubject(subject: string, claims: Claims): string | null {
  if (!subject.startsWith("repo:")) return null
  const parts = REPO_AND_CONTEXT.exec(subject)
  if (!parts) return "the claim sub does not name a repository after repo:"
  const [, owner, ownerId, name, repositoryId, context = ""] = parts

  if (`${owner}/${name}` !== claims["repository"]) return disagree("repository")
  if ((ownerId === undefined) !== (repositoryId === undefined)) return "the claim sub has one id of two"
  if (ownerId !== undefined && ownerId !== claims["repository_owner_id"]) return disagree("repository_owner_id")
  if (repositoryId !== undefined && repositoryId !== claims["repository_id"]) return disagree("repository_id")
  return faultOfContext(context, claims)
}

const REPO_AND_CONTEXT = /^repo:([^/:@]+)(?:@([0-9]+))?\/([^/:@]+)(?:@([0-9]+))?(?::(.*))?$/s

function faultOfContext(context: string, claims: Claims): string | null {
  for (const name of ["environment", "ref"]) {
    if (context.startsWith(`${name}:`)) {
      return repeats(context.slice(name.length + 1), claims[name]) ? null : disagree(name)
    }
  }
  if (context === "pull_request" || context.startsWith("pull_request:")) {
    const event = claims["event_name"]
    return typeof event === "string" && event.startsWith("pull_request") ? null : disagree("event_name")
  }
  return null
}

/** Whether `text` is the claim's value, alone or with a customised subject's further parts behind it. */
function repeats(text: string, claim: unknown): boolean {
  if (typeof claim !== "string") return false
  const [said, expected] = [withRawColons(text), withRawColons(claim)]
  return said === expected || said.startsWith(`${expected}:`)
}

/** Servers up to 3.18 write a colon inside a value as it is, all others as `%3A`: both are compared as one. */
function withRawColons(text: string): string {
  return text.replaceAll("%3A", ":")
}

function disagree(claim: string): string {
  return `the claims sub and ${claim} disagree`
}

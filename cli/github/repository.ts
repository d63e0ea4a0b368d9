import * as z from "zod"
import { fail, ok, type Result } from "../../broker/core/result.ts"
import { type GitHub, part } from "./api.ts"
import { GitHubError } from "./github-error.ts"
import { isBranch, parseRepository } from "./names.ts"

/** The facts about a repository that a policy needs. */
export interface RepositoryFacts {
  /** In GitHub's spelling, which its tokens use. */
  readonly owner: string
  readonly name: string
  readonly id: string
  readonly ownerId: string
  readonly branch: string
  /** The owner is a person's account, and no organisation. Absent when GitHub was not asked. */
  readonly isPersonal?: true
}

/** One repository is a small answer; what is larger is no answer of GitHub's. */
const MAX_ANSWER_BYTES = 256 * 1024

/**
 * Asks GitHub for a repository's ids and default branch. One call. The fault is a sentence that says what to change; it never
 * quotes the answer.
 */
export async function askRepository(
  github: GitHub,
  { owner, name }: { readonly owner: string; readonly name: string },
): Promise<Result<RepositoryFacts, string>> {
  const repository = `${owner}/${name}`
  try {
    const path = `/repos/${part(owner)}/${part(name)}`
    return read(
      await github.call({ what: `the repository ${repository}`, path, maxBytes: MAX_ANSWER_BYTES }),
      repository,
    )
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error
    const prints = error.reason === "redirect" ? `: gh api repos/${repository} --jq .full_name prints it` : ""
    return fail(`${error.message}${prints}`)
  }
}

const id = z.number().int().positive().max(Number.MAX_SAFE_INTEGER)
const answer = z.object({
  id,
  full_name: z.string(),
  default_branch: z.string(),
  owner: z.object({ id, login: z.string(), type: z.string().optional() }),
})

/** Accepts an answer only if it is about the repository that was asked for: a policy is written from it. */
function read(value: unknown, repository: string): Result<RepositoryFacts, string> {
  const no = fail(`GitHub's answer is not about the repository ${repository}: check GITHUB_API_URL`)
  const parsed = answer.safeParse(value)
  if (!parsed.success) return no
  const { id, full_name: fullName, default_branch: branch, owner } = parsed.data
  const named = parseRepository(fullName)
  if (named === null || named.owner !== owner.login || fullName.toLowerCase() !== repository.toLowerCase()) return no
  if (!isBranch(branch)) return fail(`GitHub names a default branch of ${repository} that a policy cannot name`)
  const isPersonal = owner.type === "User"
  return ok({ ...named, id: String(id), ownerId: String(owner.id), branch, ...(isPersonal && { isPersonal }) })
}

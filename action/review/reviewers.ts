import * as z from "zod"
import { GitHubError } from "../../cli/github/github-error.ts"
import { ReviewError } from "./failure.ts"
import type { GitHub } from "./github.ts"
import type { Reviewers } from "./inputs.ts"
import { type PullRequest, parsed } from "./pull-request.ts"

const requestedSchema = z.object({
  users: z.array(z.object({ login: z.string() })),
  teams: z.array(z.object({ slug: z.string() })),
})

const isIn = (names: readonly string[]) => (name: string) =>
  names.some((other) => other.toLowerCase() === name.toLowerCase())

/** How sentences name them: `acme/security and octocat`. */
export const reviewersInWords = ({ teams, people }: Reviewers, owner: string): string =>
  [...teams.map((team) => `${owner}/${team}`), ...people].join(" and ")

/**
 * Asks for a review, unless it is asked for already. A review that was given to an earlier version does not count: it is asked for
 * again.
 *
 * @throws {ReviewError} when GitHub cannot ask them
 * @throws {GitHubError}
 */
export async function requestReview(github: GitHub, { number, author }: PullRequest, wanted: Reviewers): Promise<void> {
  const what = "the reviewers of the pull request"
  const path = `/repos/{owner}/{repo}/pulls/${number}/requested_reviewers`
  const asked = parsed(requestedSchema, await github.call({ what, route: `GET ${path}` }), what)
  const isAskedTeam = isIn(asked.teams.map(({ slug }) => slug))
  const isAskedPerson = isIn(asked.users.map(({ login }) => login))
  const teams = wanted.teams.filter((team) => !isAskedTeam(team))
  // GitHub refuses to ask the author.
  const people = wanted.people.filter((login) => !isAskedPerson(login) && !isIn([author])(login))
  if (wanted.teams.length === 0 && wanted.people.every(isIn([author])))
    throw new ReviewError(
      "The author is the only one that `widening-reviewers` names, and cannot review this. Name others, too.",
    )
  if (teams.length + people.length === 0) return
  const parameters = { team_reviewers: teams, reviewers: people }
  try {
    await github.call({ what, route: `POST ${path}`, success: 201, parameters })
  } catch (error) {
    if (!(error instanceof GitHubError) || error.reason !== "invalid") throw error
    throw new ReviewError(
      `GitHub did not ask ${reviewersInWords({ teams, people }, github.owner)} for a review. ${whyNot(error.said)}`,
    )
  }
}

/** GitHub answers 422 for different reasons, and only its message tells them apart. */
function whyNot(said: string): string {
  if (/global id/i.test(said))
    return "A job's own token cannot see teams. Give the input `token` a token of a GitHub App with members: read and pull-requests: write, or name people."
  if (/collaborator/i.test(said))
    return "Give the team or the person at least the role Read in this repository. If it has that, the token cannot see it."
  return "Check the names in `widening-reviewers`."
}

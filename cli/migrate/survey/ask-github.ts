import { connectGitHub, type GitHub } from "../../github/api.ts"
import { GitHubError } from "../../github/github-error.ts"
import type { CliIo } from "../../io.ts"
import {
  filesOn,
  type ListedRepository,
  repositoriesOf,
  repositoryNamed,
  storedIn,
  storedInOrganisation,
} from "./github-source.ts"
import type { SurveyedRepository } from "./model.ts"
import { surveyRepository } from "./repository.ts"

export interface AskedSurvey {
  readonly repositories: readonly SurveyedRepository[]
  readonly not_seen: readonly string[]
}

/** GitHub asks clients not to send many requests at once ("Best practices for using the REST API"). */
const AT_ONCE = 4

/**
 * Surveys an organisation, a person's account or one repository at GitHub. A text says why nothing could be asked. What one
 * repository refuses is said there, and the others go on; a rate limit ends the survey with what it has.
 */
export async function surveyGitHub(
  { owner, name }: { readonly owner: string; readonly name: string | null },
  io: CliIo,
): Promise<AskedSurvey | string> {
  const connected = connectGitHub(io)
  if (!connected.ok) return connected.fault
  const github = connected.value
  try {
    const listed = name === null ? await repositoriesOf(github, owner) : [await repositoryNamed(github, owner, name)]
    const whole = name === null ? await storedInOrganisation(github, owner) : { stored: [], unseen: [] }
    const { repositories, left, limit } = await surveyEach(github, listed)
    const used = new Set(repositories.flatMap(({ secrets }) => secrets.map((secret) => secret.name)))
    const idle = whole.stored.filter(({ name: secret }) => !used.has(secret.toUpperCase()))
    const notSeen = [
      ...whole.unseen,
      ...(left === 0 ? [] : [`${left} of ${listed.length} repositories were not asked: ${limit}`]),
    ]
    // Secrets of the organisation that no repository has are reported once, under the organisation's own name.
    const own: SurveyedRepository[] =
      idle.length === 0 ? [] : [surveyRepository({ name: owner, files: [], unread: [] }, idle)]
    return { repositories: [...own, ...repositories], not_seen: notSeen }
  } catch (error) {
    if (!(error instanceof GitHubError)) throw error
    return error.message
  }
}

/** In the order of the list. */
async function surveyEach(github: GitHub, listed: readonly ListedRepository[]) {
  const found = new Map<ListedRepository, SurveyedRepository>()
  let limit: string | null = null
  const queue = [...listed]
  const work = async () => {
    for (let one = queue.shift(); one !== undefined && limit === null; one = queue.shift()) {
      try {
        found.set(one, await surveyOne(github, one))
      } catch (error) {
        if (!(error instanceof GitHubError)) throw error
        if (error.reason === "permission" || error.reason === "absent" || error.reason === "redirect")
          found.set(one, surveyRepository({ name: `${one.owner}/${one.name}`, files: [], unread: [error.message] }, []))
        else limit ??= error.message
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return { repositories: listed.flatMap((one) => found.get(one) ?? []), left: listed.length - found.size, limit }
}

async function surveyOne(github: GitHub, repository: ListedRepository): Promise<SurveyedRepository> {
  const { stored, unseen } = await storedIn(github, repository)
  const files = await filesOn(github, repository)
  return surveyRepository({ ...files, unread: [...files.unread, ...unseen] }, stored)
}

import type { ActionError } from "../../../action/failure.ts"
import { listed } from "../../../action/words.ts"
import { AZURE_DEVOPS } from "./azure-devops.ts"
import { BITBUCKET } from "./bitbucket.ts"
import { BUILDKITE } from "./buildkite.ts"
import { CIRCLECI } from "./circleci.ts"
import { GITHUB } from "./github.ts"
import { GITLAB } from "./gitlab.ts"
import { HCP_TERRAFORM } from "./hcp-terraform.ts"
import { JENKINS } from "./jenkins.ts"
import { KUBERNETES } from "./kubernetes.ts"
import { LOGIN } from "./login.ts"
import { OTHER_VARIABLE } from "./other-variable.ts"
import { SEMAPHORE } from "./semaphore.ts"
import type { Environment, Source, Tokens } from "./source.ts"
import { SPACELIFT } from "./spacelift.ts"
import { noToken } from "./token-text.ts"

/** Runners of a CI often are pods, so Kubernetes is asked last for what is missing. */
const OF_JOBS: readonly Source[] = [
  GITHUB,
  GITLAB,
  BUILDKITE,
  CIRCLECI,
  BITBUCKET,
  AZURE_DEVOPS,
  HCP_TERRAFORM,
  SPACELIFT,
  SEMAPHORE,
  JENKINS,
  OTHER_VARIABLE,
  KUBERNETES,
]

export const SOURCES: readonly Source[] = [...OF_JOBS, LOGIN]

export interface Found {
  readonly title: string
  readonly tokens: Tokens
}

/**
 * Finds where this job gets its tokens, or the login of a person where there is no job of any CI. Two places at once are
 * refused: a guess could show the broker another identity than the one that was meant.
 *
 * @param name of the source that was asked for; undefined to look for it
 * @throws {ActionError} `id_token_unavailable`, and GitHub's own codes
 */
export function findSource(environment: Environment, name?: string): Found {
  const asked = name === undefined ? here(environment) : SOURCES.filter((source) => source.name === name)
  const found = asked.flatMap(({ title, name: its, find }) => {
    const tokens = find(environment)
    return tokens === null ? [] : [{ title, its, tokens }]
  })
  const [first, second] = found
  if (first !== undefined && second === undefined) return first
  if (first !== undefined) throw ambiguous(found)
  const [likeliest] = asked
  throw likeliest === undefined ? nowhere() : likeliest.missing(environment)
}

/** A job without a token never gets the login of the account that it runs in. */
function here(environment: Environment): readonly Source[] {
  const ofJobs = OF_JOBS.filter(({ isHere }) => isHere(environment))
  return ofJobs.length > 0 ? ofJobs : [LOGIN].filter(({ isHere }) => isHere(environment))
}

function ambiguous(found: readonly { readonly title: string; readonly its: string }[]): ActionError {
  const options = found.map(({ its }) => `--source ${its}`)
  return noToken(
    `This job has ID tokens of ${listed(found.map(({ title }) => title))}.`,
    `Say which one the broker shall see: ${options.join(" or ")}.`,
  )
}

const nowhere = () =>
  noToken(
    "This is no job of a CI that Daypass knows, so there is no ID token.",
    "Name a file with the token with --token-file, or a variable with --token-variable.",
  )

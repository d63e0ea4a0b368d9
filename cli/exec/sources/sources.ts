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
import { OTHER_VARIABLE } from "./other-variable.ts"
import { SEMAPHORE } from "./semaphore.ts"
import type { Environment, Source, Tokens } from "./source.ts"
import { SPACELIFT } from "./spacelift.ts"
import { noToken } from "./token-text.ts"

/** Runners of a CI often are pods, so Kubernetes is asked last for what is missing. */
export const SOURCES: readonly Source[] = [
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

export interface Found {
  readonly title: string
  readonly tokens: Tokens
}

/**
 * Finds where this job gets its tokens. Two places at once are refused: a guess could show the broker another identity than the
 * one that was meant.
 * @param name of the source that was asked for; undefined to look for it
 * @throws {ActionError} `id_token_unavailable`, and GitHub's own codes
 */
export function findSource(environment: Environment, name?: string): Found {
  const asked = SOURCES.filter((source) => (name === undefined ? source.isHere(environment) : source.name === name))
  const found = asked.flatMap(({ title, name: its, find }) => {
    const tokens = find(environment)
    return tokens === null ? [] : [{ title, its, tokens }]
  })
  const [first, second] = found
  if (first !== undefined && second === undefined) return first
  if (first !== undefined) throw ambiguous(found)
  const [here] = asked
  throw here === undefined ? nowhere() : here.missing(environment)
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

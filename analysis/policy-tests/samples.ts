import type { FamilySamples, Sample } from "./sample.ts"
import { AZURE_DEVOPS_SAMPLES } from "./samples/azure-devops.ts"
import { BITBUCKET_SAMPLES } from "./samples/bitbucket.ts"
import { BUILDKITE_SAMPLES } from "./samples/buildkite.ts"
import { CIRCLECI_SAMPLES } from "./samples/circleci.ts"
import { FORGEJO_SAMPLES } from "./samples/forgejo.ts"
import { GITHUB_SAMPLES } from "./samples/github-actions.ts"
import { GITLAB_SAMPLES } from "./samples/gitlab.ts"
import { HCP_TERRAFORM_SAMPLES } from "./samples/hcp-terraform.ts"
import { JENKINS_SAMPLES } from "./samples/jenkins.ts"
import { KUBERNETES_SAMPLES } from "./samples/kubernetes.ts"
import { LOCAL_SAMPLES } from "./samples/local.ts"
import { OPENID_SAMPLES } from "./samples/openid.ts"
import { SEMAPHORE_SAMPLES } from "./samples/semaphore.ts"
import { SPACELIFT_SAMPLES } from "./samples/spacelift.ts"

/** The samples of every family that an organisation file can name. */
export const FAMILY_SAMPLES: readonly FamilySamples[] = [
  GITHUB_SAMPLES,
  GITLAB_SAMPLES,
  KUBERNETES_SAMPLES,
  BUILDKITE_SAMPLES,
  CIRCLECI_SAMPLES,
  FORGEJO_SAMPLES,
  JENKINS_SAMPLES,
  HCP_TERRAFORM_SAMPLES,
  BITBUCKET_SAMPLES,
  AZURE_DEVOPS_SAMPLES,
  SPACELIFT_SAMPLES,
  SEMAPHORE_SAMPLES,
  OPENID_SAMPLES,
  LOCAL_SAMPLES,
]

/** A sample, with what is known of its family. */
export interface NamedSample {
  readonly of: FamilySamples
  readonly sample: Sample
}

/**
 * The tokens that a test can start with, by name. Claims that depend on others are not here: `token-claims.ts` makes them
 * after the test's changes.
 */
export const SAMPLES: ReadonlyMap<string, NamedSample> = new Map(
  FAMILY_SAMPLES.flatMap((of) => Object.entries(of.samples).map(([name, sample]) => [name, { of, sample }] as const)),
)

const [FIRST = "", ...OTHERS] = SAMPLES.keys()

export const SAMPLE_NAMES: readonly [string, ...string[]] = [FIRST, ...OTHERS]

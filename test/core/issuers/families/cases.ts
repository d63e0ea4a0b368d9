import { AZURE_DEVOPS_CASE } from "./azure-devops.ts"
import { BITBUCKET_CASE } from "./bitbucket.ts"
import { BUILDKITE_CASE } from "./buildkite.ts"
import { CIRCLECI_CASE } from "./circleci.ts"
import type { FamilyCase } from "./family-case.ts"
import { FORGEJO_CASE } from "./forgejo.ts"
import { GITHUB_ACTIONS_CASE } from "./github-actions.ts"
import { GITLAB_CASE } from "./gitlab.ts"
import { HCP_TERRAFORM_CASE } from "./hcp-terraform.ts"
import { JENKINS_CASE } from "./jenkins.ts"
import { KUBERNETES_CASE } from "./kubernetes.ts"
import { LOCAL_CASE } from "./local.ts"
import { OPENID_CASE } from "./openid.ts"
import { SEMAPHORE_CASE } from "./semaphore.ts"
import { SPACELIFT_CASE } from "./spacelift.ts"

/** Every family's case. The common rows run over all of them. */
export const CASES: readonly FamilyCase[] = [
  GITHUB_ACTIONS_CASE,
  GITLAB_CASE,
  FORGEJO_CASE,
  CIRCLECI_CASE,
  KUBERNETES_CASE,
  JENKINS_CASE,
  BUILDKITE_CASE,
  HCP_TERRAFORM_CASE,
  BITBUCKET_CASE,
  AZURE_DEVOPS_CASE,
  SPACELIFT_CASE,
  SEMAPHORE_CASE,
  OPENID_CASE,
  LOCAL_CASE,
]

import type { ClaimValue } from "../../broker/core/identity.ts"

/** The claims of one token as its issuer sends it. A test starts with them and changes some. */
export interface Sample {
  /** The issuer family whose token it is. */
  readonly family: string
  /** Which kind of job has such a token, for people. */
  readonly summary: string
  /** The two standard forms of GitHub's `sub`: names only, or names with ids. */
  readonly subject: "names" | "names-and-ids"
  readonly claims: Readonly<Record<string, ClaimValue>>
}

const GITHUB_PUSH: Readonly<Record<string, ClaimValue>> = {
  jti: "6f4762ed-0758-4ccb-808d-ee3af5d723a8",
  aud: "https://broker.example.com",
  iat: 1795300000,
  nbf: 1795299400,
  exp: 1795300300,
  ref: "refs/heads/main",
  ref_protected: "true",
  sha: "8b42ec0b6b973f5465ddc4e667cee9ba26aeabb5",
  repository: "octo-org/octo-repo",
  repository_visibility: "private",
  actor: "octocat",
  actor_id: "583231",
  workflow: "Deploy",
  workflow_sha: "8b42ec0b6b973f5465ddc4e667cee9ba26aeabb5",
  job_workflow_sha: "8b42ec0b6b973f5465ddc4e667cee9ba26aeabb5",
  event_name: "push",
  head_ref: "",
  base_ref: "",
  run_id: "10988497055",
  run_number: "19",
  run_attempt: "1",
  runner_environment: "github-hosted",
  check_run_id: "30511234567",
}

const { check_run_id: _, ...GITHUB_PUSH_OF_OLD_SERVERS } = GITHUB_PUSH

const IN_ENVIRONMENT = { environment: "production", environment_node_id: "EN_kwDOM0RsPM7xAwGo" }
const OF_PULL_REQUEST = { head_ref: "feature/x", base_ref: "main" }

const github = (
  summary: string,
  claims: Readonly<Record<string, ClaimValue>>,
  subject: Sample["subject"] = "names",
): Sample => ({ family: "github-actions", summary, subject, claims })

/**
 * The tokens that a test can start with, by name. Claims that depend on others (`sub`, `repository_owner`, `ref_type`,
 * `workflow_ref`, ...) are not here: `github-claims.ts` derives them after the test's changes.
 */
export const SAMPLES = {
  "github-branch": github("a push to main, in no environment", GITHUB_PUSH),
  "github-tag": github("a push of the tag v1.2.3", { ...GITHUB_PUSH, ref: "refs/tags/v1.2.3" }),
  "github-environment": github("a push to main, in the environment production", { ...GITHUB_PUSH, ...IN_ENVIRONMENT }),
  "github-pull-request": github("a pull request from a branch of the same repository", {
    ...GITHUB_PUSH,
    ...OF_PULL_REQUEST,
    event_name: "pull_request",
    ref: "refs/pull/7/merge",
    ref_protected: "false",
  }),
  "github-pull-request-target": github("pull_request_target, caused by anyone: runs on main and looks like a push", {
    ...GITHUB_PUSH,
    ...OF_PULL_REQUEST,
    event_name: "pull_request_target",
  }),
  "github-reusable-workflow": github("a job of a reusable workflow, in the environment production", {
    ...GITHUB_PUSH,
    ...IN_ENVIRONMENT,
    job_workflow_ref: "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
    job_workflow_sha: "1f0c3f7a5d5b0c2f6bb4b1f8d6f3b9f2e8a7c6d5",
  }),
  "github-branch-immutable": github(
    "a push to main in a repository whose sub carries ids",
    GITHUB_PUSH,
    "names-and-ids",
  ),
  "github-environment-immutable": github(
    "the environment production of a repository whose sub carries ids",
    { ...GITHUB_PUSH, ...IN_ENVIRONMENT },
    "names-and-ids",
  ),
  "github-enterprise": github("a push to main in an enterprise", {
    ...GITHUB_PUSH,
    enterprise: "octocat-inc",
    enterprise_id: "123",
  }),
  "github-enterprise-server": github("a push to main on an older GitHub Enterprise Server, on a runner of its own", {
    ...GITHUB_PUSH_OF_OLD_SERVERS,
    runner_environment: "self-hosted",
  }),
} as const satisfies Record<string, Sample>

export type SampleName = keyof typeof SAMPLES

export const SAMPLE_NAMES = Object.keys(SAMPLES) as [SampleName, ...SampleName[]]

import type { ClaimValue } from "../../../broker/core/identity.ts"
import type { ClaimReader, FamilySamples, Sample } from "../sample.ts"

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

/** The two standard forms of GitHub's `sub`. */
type SubjectForm = "names" | "names-and-ids"

const github = (
  summary: string,
  claims: Readonly<Record<string, ClaimValue>>,
  subject: SubjectForm = "names",
): Sample => ({ summary, subject, claims })

/** Tokens of GitHub Actions. */
export const GITHUB_SAMPLES: FamilySamples = {
  family: "github-actions",
  samples: {
    "github-branch": github("a push to main, in no environment", GITHUB_PUSH),
    "github-tag": github("a push of the tag v1.2.3", { ...GITHUB_PUSH, ref: "refs/tags/v1.2.3" }),
    "github-environment": github("a push to main, in the environment production", {
      ...GITHUB_PUSH,
      ...IN_ENVIRONMENT,
    }),
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
  },
  follows: [
    ["ref_type", (read) => (read("ref").startsWith("refs/tags/") ? "tag" : "branch")],
    [
      "workflow_ref",
      (read) => `${read("repository")}/.github/workflows/${workflowFile(read("event_name"))}@${read("ref")}`,
    ],
    ["job_workflow_ref", (read) => read("workflow_ref")],
    ["sub", subjectOf],
  ],
  goesWith: new Map([["environment", ["environment_node_id"]]]),
  // Only the repository knows which other refs are protected. "false" is the assumption that gives no access.
  outdated: new Map([["ref", { ref_protected: "false" }]]),
}

const workflowFile = (event: string) => (event === "pull_request" ? "ci.yml" : "deploy.yml")

function subjectOf(read: ClaimReader, { subject }: Sample): string {
  const text = (name: string) => read(name).replaceAll(":", "%3A")
  const [owner, name] = read("repository").split("/")
  const repository =
    subject === "names"
      ? `${owner}/${name}`
      : `${owner}@${text("repository_owner_id")}/${name}@${text("repository_id")}`
  if (read("environment") !== "") return `repo:${repository}:environment:${text("environment")}`
  if (read("event_name") === "pull_request") return `repo:${repository}:pull_request`
  return `repo:${repository}:ref:${text("ref")}`
}

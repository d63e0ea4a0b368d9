// Long because it is one table: a row for each claim that GitHub Actions sends.
import { type ClaimFact, type ClaimTable, TOKEN_CLAIMS, type ValueFact } from "./claim-fact.ts"

const BRANCHES = ["refs/heads/**"]
const OUTSIDERS = { outsiders: true } as const
/** Most events that are not about a ref run on the default branch. */
const ON_DEFAULT_BRANCH: ValueFact = { refs: BRANCHES }
const ON_DEFAULT_BRANCH_BY_OUTSIDERS: ValueFact = { ...OUTSIDERS, refs: BRANCHES }

/**
 * The events that run workflows, as GitHub documents them ("Events that trigger workflows"). `workflow_call` is missing:
 * a called workflow has its caller's event. `dynamic` is what GitHub's own workflows have, such as Dependabot's updates.
 *
 * Outsiders' events: people without write access to the repository can cause them, with their text in the event or
 * their code in the run. Several of them run on the default branch, so that `ref` and `sub` look like a push to main.
 * Checks and statuses are what other CI systems report on pull requests of forks.
 */
const EVENTS: ReadonlyMap<string, ValueFact> = new Map<string, ValueFact>([
  ["push", { refs: [...BRANCHES, "refs/tags/**"] }],
  ["workflow_dispatch", {}],
  ["schedule", ON_DEFAULT_BRANCH],
  ["release", {}],
  ["repository_dispatch", ON_DEFAULT_BRANCH],
  ["merge_group", { refs: ["refs/heads/gh-readonly-queue/**"] }],
  ["deployment", {}],
  ["deployment_status", {}],
  ["create", {}],
  ["delete", ON_DEFAULT_BRANCH],
  ["branch_protection_rule", ON_DEFAULT_BRANCH],
  ["dynamic", {}],
  ["image_version", ON_DEFAULT_BRANCH],
  ["label", ON_DEFAULT_BRANCH],
  ["milestone", ON_DEFAULT_BRANCH],
  ["page_build", ON_DEFAULT_BRANCH],
  ["project", ON_DEFAULT_BRANCH],
  ["project_card", ON_DEFAULT_BRANCH],
  ["project_column", ON_DEFAULT_BRANCH],
  ["public", ON_DEFAULT_BRANCH],
  ["registry_package", {}],
  ["pull_request", OUTSIDERS],
  ["pull_request_target", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["pull_request_review", OUTSIDERS],
  ["pull_request_review_comment", OUTSIDERS],
  ["workflow_run", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["check_run", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["check_suite", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["status", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["issue_comment", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["issues", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["discussion", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["discussion_comment", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["fork", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["watch", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
  ["gollum", ON_DEFAULT_BRANCH_BY_OUTSIDERS],
])

/** The merge ref of a pull request counts as a branch. */
const REF_TYPES: ReadonlyMap<string, ValueFact> = new Map<string, ValueFact>([
  ["branch", { refs: [...BRANCHES, "refs/pull/**"] }],
  ["tag", { refs: ["refs/tags/**"] }],
])

const closed = (...values: readonly string[]): Pick<ClaimFact, "values" | "samples"> => ({
  values: new Map(values.map((value) => [value, {}])),
  samples: values,
})

const token = (summary: string): ClaimFact => ({ summary, sent: "always", tells: "token", registered: true })

const [AUD, EXP, IAT, JTI, NBF] = TOKEN_CLAIMS

/** Custom properties of a repository: claims with this prefix, whatever an organisation calls them. */
export const GITHUB_PROPERTY_PREFIX = "repo_property_"

export const GITHUB_PROPERTY: ClaimFact = {
  summary: "a custom property of the repository",
  sent: "by-some-repositories",
  tells: "setting",
  chosenBy: "administrator",
}

/**
 * What tokens of GitHub Actions say: github.com, enterprises' own issuers, GitHub Enterprise Server and ghe.com. Source:
 * GitHub's "OpenID Connect reference" and observed tokens. Ids and numbers are texts.
 */
export const GITHUB_ACTIONS_CLAIMS: ClaimTable = new Map<string, ClaimFact>([
  ["iss", { summary: "the issuer's URL", sent: "always", tells: "repository", registered: true }],
  [
    "sub",
    {
      summary: "a text made of other claims, which can be customised",
      sent: "always",
      tells: "job",
      chosenBy: "administrator",
      form: "subject",
    },
  ],
  [AUD, token("whom the token is for")],
  [EXP, token("when it expires")],
  [NBF, { ...token("from when on it counts"), sent: "by-some-issuers" }],
  [IAT, token("when it was issued")],
  [JTI, token("the token's own id")],
  [
    "repository",
    { summary: "the repository's owner and name", sent: "always", tells: "repository", form: "repository" },
  ],
  [
    "repository_id",
    {
      summary: "the repository's id",
      sent: "always",
      tells: "repository",
      form: "digits",
      samples: ["41000000", "42000000"],
    },
  ],
  ["repository_owner", { summary: "the owner's name", sent: "always", tells: "repository", form: "login" }],
  ["repository_owner_id", { summary: "the owner's id", sent: "always", tells: "repository", form: "digits" }],
  [
    "repository_visibility",
    {
      summary: "who can see the repository",
      sent: "by-some-issuers",
      tells: "setting",
      chosenBy: "administrator",
      ...closed("private", "public", "internal"),
    },
  ],
  ["enterprise", { summary: "the enterprise's name", sent: "by-some-repositories", tells: "repository" }],
  [
    "enterprise_id",
    { summary: "the enterprise's id", sent: "by-some-repositories", tells: "repository", form: "digits" },
  ],
  [
    "actor",
    {
      summary: "the name of the person or App that caused the run",
      sent: "always",
      tells: "job",
      chosenBy: "outsider",
      form: "login",
      samples: ["octocat", "dependabot[bot]"],
    },
  ],
  ["actor_id", { summary: "the id of the actor", sent: "by-some-issuers", tells: "job", form: "digits" }],
  [
    "event_name",
    {
      summary: "the event that caused the run",
      sent: "always",
      tells: "job",
      values: EVENTS,
      samples: ["push", "workflow_dispatch", "schedule", "release"],
    },
  ],
  [
    "ref",
    {
      summary: "the branch, tag or pull request that the run is on",
      sent: "always",
      tells: "job",
      chosenBy: "writer",
      tellsCode: true,
      form: "ref",
      samples: ["refs/heads/main", "refs/heads/feature", "refs/tags/v1.0.0", "refs/pull/7/merge"],
    },
  ],
  [
    "ref_type",
    {
      summary: "whether the run is on a branch or on a tag",
      sent: "always",
      tells: "job",
      values: REF_TYPES,
      samples: ["branch", "tag"],
    },
  ],
  [
    "ref_protected",
    {
      summary: "whether a rule protects the ref",
      sent: "by-some-issuers",
      tells: "job",
      tellsCode: true,
      ...closed("true", "false"),
    },
  ],
  [
    "head_ref",
    {
      summary: "the branch that a pull request comes from; empty in other runs",
      sent: "by-some-issuers",
      tells: "job",
      chosenBy: "outsider",
      ofPullRequests: true,
      form: "branch",
    },
  ],
  [
    "base_ref",
    {
      summary: "the branch that a pull request is for; empty in other runs",
      sent: "by-some-issuers",
      tells: "job",
      chosenBy: "writer",
      tellsCode: true,
      ofPullRequests: true,
      form: "branch",
    },
  ],
  ["sha", { summary: "the commit", sent: "by-some-issuers", tells: "job", tellsCode: true, form: "commit" }],
  ["run_id", { summary: "the run's id", sent: "always", tells: "job", form: "digits", samples: ["7000000001"] }],
  ["run_number", { summary: "the run's number", sent: "by-some-issuers", tells: "job", form: "digits" }],
  [
    "run_attempt",
    { summary: "which attempt of the run it is", sent: "always", tells: "job", form: "digits", samples: ["1", "2"] },
  ],
  ["check_run_id", { summary: "the job's id", sent: "by-some-issuers", tells: "job", form: "digits" }],
  [
    "runner_environment",
    {
      summary: "whose machine the job runs on",
      sent: "by-some-issuers",
      tells: "job",
      ...closed("github-hosted", "self-hosted"),
    },
  ],
  ["environment", { summary: "the environment that the job names", sent: "with-environment", tells: "job" }],
  ["environment_node_id", { summary: "the environment's node id", sent: "with-environment", tells: "job" }],
  ["workflow", { summary: "the workflow's name", sent: "by-some-issuers", tells: "job", chosenBy: "writer" }],
  [
    "workflow_ref",
    {
      summary: "the workflow's file at its ref",
      sent: "by-some-issuers",
      tells: "job",
      chosenBy: "writer",
      tellsCode: true,
      form: "workflow",
    },
  ],
  [
    "workflow_sha",
    {
      summary: "the commit of the workflow's file",
      sent: "by-some-issuers",
      tells: "job",
      tellsCode: true,
      form: "commit",
    },
  ],
  [
    "job_workflow_ref",
    {
      summary: "the file at its ref that defines the job: of a reusable workflow, that workflow's",
      sent: "by-some-issuers",
      tells: "job",
      chosenBy: "writer",
      tellsCode: true,
      form: "workflow",
    },
  ],
  [
    "job_workflow_sha",
    { summary: "the commit of that file", sent: "by-some-issuers", tells: "job", tellsCode: true, form: "commit" },
  ],
])

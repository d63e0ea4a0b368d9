import { CAUTION_ROWS } from "./cautions.ts"
import { type ClaimFact, type ClaimTable, TOKEN_CLAIMS, type ValueFact } from "./claim-fact.ts"
import { about, closed, type More } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"
import { DIGITS } from "./id-forms.ts"

const BRANCHES = ["refs/heads/**"]
const each = (events: string, fact: ValueFact): [string, ValueFact][] => events.split(" ").map((event) => [event, fact])

/**
 * The events that run workflows, as GitHub documents them ("Events that trigger workflows"). `workflow_call` is missing:
 * a called workflow has its caller's event. `dynamic` is what GitHub's own workflows have, such as Dependabot's updates.
 * Most events that are not about a ref run on the default branch.
 *
 * Outsiders' events: people without write access to the repository can cause them, with their text in the event or
 * their code in the run. Several of them run on the default branch, so that `ref` and `sub` look like a push to main.
 * Checks and statuses are what other CI systems report on pull requests of forks.
 */
const EVENTS: ReadonlyMap<string, ValueFact> = new Map<string, ValueFact>([
  ["push", { refs: [...BRANCHES, "refs/tags/**"] }],
  ["merge_group", { refs: ["refs/heads/gh-readonly-queue/**"] }],
  ...each("workflow_dispatch release create deployment deployment_status registry_package dynamic", {}),
  ...each("schedule repository_dispatch delete branch_protection_rule image_version label milestone", {
    refs: BRANCHES,
  }),
  ...each("page_build project project_card project_column public", { refs: BRANCHES }),
  ...each("pull_request pull_request_review pull_request_review_comment", { outsiders: true }),
  ...each("pull_request_target workflow_run check_run check_suite status", { outsiders: true, refs: BRANCHES }),
  ...each("issue_comment issues discussion discussion_comment", { outsiders: true, refs: BRANCHES }),
  ...each("fork watch gollum", { outsiders: true, refs: BRANCHES }),
])

/** The merge ref of a pull request counts as a branch. */
const REF_TYPES: ReadonlyMap<string, ValueFact> = new Map<string, ValueFact>([
  ["branch", { refs: [...BRANCHES, "refs/pull/**"] }],
  ["tag", { refs: ["refs/tags/**"] }],
])

const token = about("token", "always")
const repository = about("unit", "always")
const enterprise = about("unit", "by-some-units")
/** In every token of every server, because an identity is made of it. */
const job = about("job", "always")
const jobOfNewServers = about("job", "by-some-issuers")
const jobInEnvironment = about("job", "with-environment")

const [AUD, EXP, IAT, JTI, NBF] = TOKEN_CLAIMS
const CODE: More = { tellsCode: true }
const WRITERS: More = { chosenBy: "writer" }
const OUTSIDERS: More = { chosenBy: "outsider" }
const REFS = ["refs/heads/main", "refs/heads/feature", "refs/tags/v1.0.0", "refs/pull/7/merge"]

/** Custom properties of a repository: claims with this prefix, whatever an organisation calls them. */
export const GITHUB_PROPERTY_PREFIX = "repo_property_"

export const GITHUB_PROPERTY: ClaimFact = {
  summary: "a custom property of the repository",
  // A text today. The organisation chooses the kinds of its properties, and another kind must not lock its jobs out.
  type: "any",
  sent: "by-some-units",
  tells: "setting",
  chosenBy: "administrator",
}

/**
 * What tokens of GitHub Actions say: github.com, enterprises' own issuers, GitHub Enterprise Server and ghe.com. Source:
 * GitHub's "OpenID Connect reference" and observed tokens. Ids and numbers are texts.
 */
const CLAIMS: ClaimTable = new Map<string, ClaimFact>([
  repository("iss", "the issuer's URL", { registered: true }),
  job("sub", "a text made of other claims, which can be customised", { chosenBy: "administrator", form: "subject" }),
  token(AUD, "whom the token is for", { registered: true }),
  token(EXP, "when it expires", { registered: true }),
  token(NBF, "from when on it counts", { registered: true, sent: "by-some-issuers" }),
  token(IAT, "when it was issued", { registered: true }),
  token(JTI, "the token's own id", { registered: true }),

  repository("repository", "the repository's owner and name", { form: "repository" }),
  repository("repository_id", "the repository's id", { form: "digits", samples: ["41000000", "42000000"] }),
  repository("repository_owner", "the owner's name", { form: "login" }),
  repository("repository_owner_id", "the owner's id", { form: "digits" }),
  enterprise("enterprise", "the enterprise's name"),
  enterprise("enterprise_id", "the enterprise's id", { form: "digits" }),
  about("setting", "by-some-issuers")("repository_visibility", "who can see the repository", {
    chosenBy: "administrator",
    ...closed("private", "public", "internal"),
  }),

  job("actor", "the name of the person or App that caused the run", {
    ...OUTSIDERS,
    form: "login",
    samples: ["octocat", "dependabot[bot]"],
  }),
  jobOfNewServers("actor_id", "the id of the actor", { form: "digits" }),
  job("event_name", "the event that caused the run", {
    values: EVENTS,
    samples: ["push", "workflow_dispatch", "schedule", "release"],
  }),
  job("ref", "the branch, tag or pull request that the run is on", { ...WRITERS, ...CODE, form: "ref", samples: REFS }),
  job("ref_type", "whether the run is on a branch or on a tag", { values: REF_TYPES, samples: ["branch", "tag"] }),
  jobOfNewServers("ref_protected", "whether a rule protects the ref", { ...CODE, ...closed("true", "false") }),
  jobOfNewServers("head_ref", "the branch that a pull request comes from; empty in other runs", {
    ...OUTSIDERS,
    ofPullRequests: true,
    form: "branch",
  }),
  jobOfNewServers("base_ref", "the branch that a pull request is for; empty in other runs", {
    ...WRITERS,
    ...CODE,
    ofPullRequests: true,
    form: "branch",
  }),
  jobOfNewServers("sha", "the commit", { ...CODE, form: "commit" }),
  job("run_id", "the run's id", { form: "digits", samples: ["7000000001"] }),
  jobOfNewServers("run_number", "the run's number", { form: "digits" }),
  job("run_attempt", "which attempt of the run it is", { form: "digits", samples: ["1", "2"] }),
  jobOfNewServers("check_run_id", "the job's id", { form: "digits" }),
  jobOfNewServers("runner_environment", "whose machine the job runs on", closed("github-hosted", "self-hosted")),
  jobInEnvironment("environment", "the environment that the job names"),
  jobInEnvironment("environment_node_id", "the environment's node id"),

  jobOfNewServers("workflow", "the workflow's name", WRITERS),
  jobOfNewServers("workflow_ref", "the workflow's file at its ref", { ...WRITERS, ...CODE, form: "workflow" }),
  jobOfNewServers("workflow_sha", "the commit of the workflow's file", { ...CODE, form: "commit" }),
  jobOfNewServers("job_workflow_ref", "the file at its ref that defines the job: a reusable workflow's, if it is one", {
    ...WRITERS,
    ...CODE,
    form: "workflow",
  }),
  jobOfNewServers("job_workflow_sha", "the commit of that file", { ...CODE, form: "commit" }),
  ...CAUTION_ROWS,
])

export const GITHUB_ACTIONS: FamilyFacts<"github-actions"> = {
  name: "github-actions",
  title: "GitHub Actions",
  unit: "repository",
  claims: CLAIMS,
  prefixes: new Map([[GITHUB_PROPERTY_PREFIX, GITHUB_PROPERTY]]),
  roles: {
    unitId: "repository_id",
    unit: "repository",
    ownerId: "repository_owner_id",
    owner: "repository_owner",
    environment: "environment",
    ref: "ref",
    refType: "ref_type",
    event: "event_name",
    actor: "actor",
    actorId: "actor_id",
    runId: "run_id",
    runAttempt: "run_attempt",
  },
  unitId: DIGITS,
  ownerId: DIGITS,
  unitName: {
    pattern: /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._*-]+)+$/,
    words: "a repository is written owner/name, in ASCII; stars are allowed only after the owner",
  },
  patterns: true,
  environmentKey: "environment",
  protection: {
    any: "add required reviewers, or limit its deployment branches",
    reviewers: "add required reviewers",
    othersReview: 'turn on "Prevent self-review"',
    branches: {
      protected: "protected branches",
      custom: "selected branches and tags",
    },
    where: "in the repository's settings",
  },
  keepsPolicies: true,
  findId: (repository) => `gh api repos/${repository} --jq .id`,
  maxTokenLifetimeSeconds: 600,
  jti: "always",
  audience: "job",
  keyTypes: ["RSA"],
}

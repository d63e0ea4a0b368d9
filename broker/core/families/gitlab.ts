import type { Caution, Claims } from "../identity.ts"
import { cautionOfUnknown } from "./cautions.ts"
import type { ValueFact } from "./claim-fact.ts"
import { about, closed, tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"
import { DIGITS } from "./id-forms.ts"

/**
 * What causes pipelines, as GitLab documents it (`CI_PIPELINE_SOURCE`). A merge request's pipeline can run a fork's code in
 * the project; servers before 18.4 do not say so, and the older ones name the project itself.
 */
const SOURCES: ReadonlyMap<string, ValueFact> = new Map<string, ValueFact>([
  ..."push web trigger schedule api external pipeline chat webide parent_pipeline ondemand_dast_scan ondemand_dast_validation security_orchestration_policy container_registry_push duo_workflow pipeline_execution_policy_schedule"
    .split(" ")
    .map((source): [string, ValueFact] => [source, {}]),
  ["merge_request_event", { outsiders: true }],
  ["external_pull_request_event", { outsiders: true }],
])

const project = about("unit", "always")
const job = about("job", "always")
const jobOfNewServers = about("job", "by-some-issuers")
const someJobs = about("job", "by-some-jobs")
const jobInEnvironment = about("job", "with-environment")
const DIGIT_TEXT = { form: "digits" } as const
const FLAG = closed("true", "false")

/**
 * What GitLab's ID tokens say, of gitlab.com, GitLab Self-Managed and GitLab Dedicated. Source: GitLab's "OpenID Connect (OIDC)
 * Authentication Using ID Tokens", and the tests of `Gitlab::Ci::JwtV2`. Ids and flags are texts.
 */
const CLAIMS = tableOf([
  job("sub", "a text made of other claims, which can be customised", { chosenBy: "administrator" }),

  project("project_path", "the project's group and name"),
  project("project_id", "the project's id", { ...DIGIT_TEXT, samples: ["41000000", "42000000"] }),
  project("namespace_path", "the group or user that the project is directly in"),
  project("namespace_id", "the id of that group or user", DIGIT_TEXT),
  about("setting", "by-some-issuers")("project_visibility", "who can see the project", {
    chosenBy: "administrator",
    ...closed("private", "internal", "public"),
  }),
  jobOfNewServers("job_project_path", "the project that the job runs in: another one than a fork's"),
  jobOfNewServers("job_project_id", "the id of that project", DIGIT_TEXT),
  jobOfNewServers("job_namespace_path", "the group or user that this project is directly in"),
  jobOfNewServers("job_namespace_id", "the id of that group or user", DIGIT_TEXT),

  job("user_login", "the name of the person that caused the job", { chosenBy: "outsider", samples: ["sample-user"] }),
  job("user_id", "the person's id", DIGIT_TEXT),
  someJobs("user_email", "the person's e-mail address", { chosenBy: "outsider" }),
  jobOfNewServers(
    "user_access_level",
    "the person's role in the project",
    closed("guest", "planner", "reporter", "developer", "maintainer", "owner"),
  ),
  someJobs("user_identities", "the person's identities elsewhere", { type: "any" }),
  someJobs("groups_direct", "the groups that the person is a direct member of", { type: "texts" }),

  job("pipeline_source", "what caused the pipeline", { values: SOURCES, samples: ["push", "web", "schedule"] }),
  job("pipeline_id", "the pipeline's id", { ...DIGIT_TEXT, samples: ["7000000001"] }),
  job("job_id", "the job's id; a job that is tried again has another one", DIGIT_TEXT),
  jobOfNewServers("job_source", "what defined the job"),
  someJobs("job_config", "where a job of a policy is defined", { type: "object" }),
  job("ref", "the name of the branch or tag", {
    chosenBy: "writer",
    tellsCode: true,
    form: "branch",
    samples: ["main", "feature"],
  }),
  job("ref_type", "whether it is a branch or a tag", closed("branch", "tag")),
  jobOfNewServers("ref_path", "the branch or tag as a full ref", {
    chosenBy: "writer",
    tellsCode: true,
    form: "ref",
    samples: ["refs/heads/main", "refs/heads/feature", "refs/tags/v1.0.0"],
  }),
  job("ref_protected", "whether the branch or tag is protected", { tellsCode: true, ...FLAG }),
  jobOfNewServers("sha", "the commit", { tellsCode: true, form: "commit" }),
  jobOfNewServers("ci_config_ref_uri", "the pipeline's file at its ref", { chosenBy: "writer", tellsCode: true }),
  jobOfNewServers("ci_config_sha", "the commit of that file", { tellsCode: true, form: "commit" }),
  jobInEnvironment("environment", "the environment that the job names"),
  jobInEnvironment("environment_protected", "whether the environment is protected", FLAG),
  jobInEnvironment(
    "deployment_tier",
    "the environment's tier",
    closed("production", "staging", "testing", "development", "other"),
  ),
  jobInEnvironment(
    "environment_action",
    "what the job does with the environment",
    closed("start", "prepare", "stop", "verify", "access"),
  ),
  jobOfNewServers("runner_id", "the runner's id", { type: "number" }),
  jobOfNewServers("runner_environment", "whose machine the job runs on", closed("gitlab-hosted", "self-hosted")),
])

const FORK: Caution = { fact: "outsider", why: "it runs a fork's merge request in another project" }

/**
 * A fork's merge request: `project_*` name the fork, and the job runs in the project of `job_project_*`, on its runners. A
 * child pipeline has its parent's merge request, and says so only by these claims; servers before 18.4 do not send them.
 */
function cautionsOfForks(claims: Claims): readonly Caution[] {
  const { project_id: project, job_project_id: jobProject, pipeline_source: source } = claims
  if (jobProject !== undefined && jobProject !== null) return jobProject === project ? [] : [FORK]
  if (source !== "parent_pipeline") return []
  const why = "this server does not say whether the parent pipeline runs a fork's merge request"
  return [{ fact: "outsider", why, claim: "pipeline_source", value: source }]
}

export const GITLAB: FamilyFacts<"gitlab"> = {
  name: "gitlab",
  title: "GitLab CI/CD",
  unit: "project",
  claims: CLAIMS,
  roles: {
    unitId: "project_id",
    unit: "project_path",
    ownerId: "namespace_id",
    owner: "namespace_path",
    environment: "environment",
    environmentProtected: "environment_protected",
    // Its `ref` is a bare name, which a branch and a tag can share.
    ref: "ref_path",
    refType: "ref_type",
    event: "pipeline_source",
    actor: "user_login",
    actorId: "user_id",
    runId: "pipeline_id",
    // All tokens of one job have the same; a retried job has another.
    runAttempt: "job_id",
  },
  furtherCautions: (claims) => [...cautionOfUnknown(claims, "pipeline_source", SOURCES), ...cautionsOfForks(claims)],
  unitId: DIGITS,
  ownerId: DIGITS,
  unitName: {
    pattern: /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*\/[A-Za-z0-9_.*-]+$/,
    words: "a project is written group/name, or group/subgroup/name, in ASCII; stars are allowed only in its name",
  },
  patterns: true,
  environmentKey: "environment",
  protection: {
    any: "protect it",
    reviewers: "require approvals for it",
    othersReview: 'turn off "Allow pipeline triggerer to approve deployment"',
    where: "under Settings > CI/CD > Protected environments of the project",
  },
  findId: (project) => `glab api projects/${encodeURIComponent(project)} | jq .id`,
  maxTokenLifetimeSeconds: 86_400,
  jti: "always",
  audience: "setting",
}

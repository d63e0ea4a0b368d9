import { about, marked, tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"
import { UUID } from "./id-forms.ts"

/** Administrators choose which claims a project's tokens have. */
const FILTERED = { remedy: "switch this claim on in Semaphore's OIDC token settings" }

const project = about("unit", "always")
const someProject = about("unit", "by-some-units")
const job = about("job", "always")
const someJob = about("job", "by-some-jobs")

const REF_TYPES = { branch: {}, tag: {}, "pull-request": { outsiders: true } } as const
const JOB_TYPES = {
  pipeline_job: {},
  debug_job: { interactive: true },
  project_debug_job: { interactive: true },
} as const

/**
 * What a job's token of Semaphore says. Source: Semaphore's "OIDC Tokens", and the source code that makes them: what a job
 * has nothing to say about is an empty text.
 */
const CLAIMS = tableOf([
  job("sub", "a text made of other claims", FILTERED),
  project("prj_id", "the project's id", FILTERED),
  project("org_id", "the organization's id", FILTERED),
  someProject("org", "the organization's name"),
  someProject("prj", "the project's name; empty in tokens of some installations"),
  about("setting", "by-some-units")("repo", "the git repository's name", { chosenBy: "administrator" }),
  about("setting", "by-some-units")("repo_slug", "the git repository's owner and name", {
    chosenBy: "administrator",
    form: "repository",
  }),
  job("ref_type", "what the job is on", { ...FILTERED, ...marked(REF_TYPES) }),
  job("ref", "the full ref", {
    ...FILTERED,
    chosenBy: "writer",
    tellsCode: true,
    form: "ref",
    samples: ["refs/heads/main", "refs/heads/feature", "refs/tags/v1.0.0", "refs/pull/7/merge"],
  }),
  someJob("branch", "the branch's name; for a pull request, that of its target", {
    chosenBy: "writer",
    tellsCode: true,
    form: "branch",
  }),
  someJob("tag", "the tag's name; empty in other jobs", { chosenBy: "writer", tellsCode: true }),
  someJob("pr", "the pull request's number; empty in other jobs", { ofPullRequests: true }),
  someJob("pr_branch", "the branch that a pull request comes from; empty in other jobs", {
    chosenBy: "outsider",
    ofPullRequests: true,
    form: "branch",
  }),
  job("job_type", "whether it is a pipeline's job, or a person's shell", { ...FILTERED, ...marked(JOB_TYPES) }),
  job("job_id", "the job's id", FILTERED),
  someJob("wf_id", "the workflow's id"),
  someJob("ppl_id", "the pipeline's id"),
  someJob("trg", "how the workflow was triggered, and whether it runs again"),
  someJob("actor", "the id of the person who promoted the pipeline"),
  about("token", "by-some-jobs")("https://aws.amazon.com/tags", "session tags for AWS", { type: "object" }),
])

export const SEMAPHORE: FamilyFacts<"semaphore"> = {
  name: "semaphore",
  title: "Semaphore",
  unit: "project",
  claims: CLAIMS,
  roles: {
    unitId: "prj_id",
    ownerId: "org_id",
    owner: "org",
    ref: "ref",
    refType: "ref_type",
    runId: "wf_id",
    runAttempt: "job_id",
  },
  unitId: UUID,
  ownerId: UUID,
  patterns: false,
  findId: () => "sem get project NAME",
  maxTokenLifetimeSeconds: 24 * 3600,
  jti: "always",
  audience: "issuer",
}

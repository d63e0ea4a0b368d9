import { semaphore } from "../../../../broker/issuers/semaphore/family.ts"
import branch from "../../../vectors/claims/semaphore-branch.json" with { type: "json" }
import debugJob from "../../../vectors/claims/semaphore-debug-job.json" with { type: "json" }
import pullRequest from "../../../vectors/claims/semaphore-pull-request.json" with { type: "json" }
import type { FamilyCase } from "./family-case.ts"

const SETTINGS = "switch this claim on in Semaphore's OIDC token settings"
const SHELL = "a person has a shell in such a job"

export const SEMAPHORE_CASE: FamilyCase = {
  family: semaphore,
  config: {
    name: "semaphore",
    family: "semaphore",
    url: "https://acme.semaphoreci.com",
    owners: new Map([["acme", "936a5312-a3b8-4921-8b3f-2cec8baac574"]]),
    repositoryPolicies: false,
    audience: "https://acme.semaphoreci.com",
    maxTokenLifetimeSeconds: 24 * 3600,
  },
  samples: [
    {
      name: "a job on a branch",
      claims: branch,
      identity: {
        unitKind: "project",
        unit: "1e1fcfb5-09c0-487e-b051-2d0b5514c42a",
        unitId: "1e1fcfb5-09c0-487e-b051-2d0b5514c42a",
        owner: "acme",
        ownerId: "936a5312-a3b8-4921-8b3f-2cec8baac574",
        ref: "refs/heads/main",
        refType: "branch",
        event: null,
        actor: null,
        runId: "1be81412-6ab8-4fc0-9d0d-7af33335a6ec",
        runAttempt: "c117e453-1189-4eaf-b03a-dd6538eb49b2",
        cautions: [],
      },
      derived: { outsider: false, interactive: false },
    },
    {
      name: "a job of a pull request, whose branch is the target",
      claims: pullRequest,
      identity: {
        ref: "refs/pull/7/merge",
        refType: "pull-request",
        cautions: [{ fact: "outsider", why: "outsiders can cause it", claim: "ref_type", value: "pull-request" }],
      },
      derived: { branch: "main", outsider: true },
    },
    {
      name: "a debug session of a job",
      claims: debugJob,
      identity: {
        runId: "",
        cautions: [{ fact: "interactive", why: SHELL, claim: "job_type", value: "debug_job" }],
      },
      derived: { interactive: true },
    },
    {
      name: "a debug session of a project",
      claims: { ...debugJob, job_type: "project_debug_job" },
      identity: { cautions: [{ fact: "interactive", why: SHELL, claim: "job_type", value: "project_debug_job" }] },
    },
    {
      name: "a debug session of a pull request's job, which is both",
      claims: { ...pullRequest, job_type: "debug_job" },
      identity: { ref: "refs/pull/7/merge" },
      derived: { outsider: true, interactive: true },
    },
  ],
  refused: [
    ["without a kind of job", { job_type: undefined }, `job_type is missing: ${SETTINGS}`],
    ["without a kind of ref", { ref_type: undefined }, `ref_type is missing: ${SETTINGS}`],
    ["without an organization's id", { org_id: undefined }, `org_id is missing: ${SETTINGS}`],
    ["without a project's id", { prj_id: undefined }, `prj_id is missing: ${SETTINGS}`],
    ["without a subject", { sub: undefined }, `sub is missing: ${SETTINGS}`],
    ["of a kind that nobody knows", { job_type: "shell" }, "job_type must be pipeline_job or debug_job or"],
    ["on a kind of ref that nobody knows", { ref_type: "" }, "ref_type must be branch or tag or pull-request"],
    ["on another kind of ref than its subject", { ref_type: "tag" }, "sub and ref_type disagree"],
    ["on another ref than its subject", { ref: "refs/heads/x" }, "sub and ref disagree"],
    ["of another project than its subject", { prj_id: branch.org_id }, "sub and prj_id disagree"],
    ["whose subject says nothing", { sub: "acme" }, "sub must name organization, project, repository and ref"],
    ["without a job's id", { job_id: "" }, "job_id must not be empty"],
    ["whose organization's id is its name", { org_id: "acme" }, "org_id must be an id"],
  ],
}

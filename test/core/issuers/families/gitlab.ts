import { gitlab } from "../../../../broker/issuers/gitlab/family.ts"
import documented from "../../../vectors/claims/gitlab.json" with { type: "json" }
import fork from "../../../vectors/claims/gitlab-fork-merge-request.json" with { type: "json" }
import inEnvironment from "../../../vectors/claims/gitlab-protected-environment.json" with { type: "json" }
import type { FamilyCase } from "./family-case.ts"

const {
  environment: _,
  environment_protected: _p,
  deployment_tier: _t,
  environment_action: _a,
  ...plain
} = inEnvironment

const unit = {
  unitKind: "project",
  unit: "my-group/my-project",
  unitId: "20",
  owner: "my-group",
  ownerId: "72",
} as const
const outsider = { outsider: true, interactive: false }
const cautionOf = (value: string, why = "outsiders can cause it") => ({
  fact: "outsider" as const,
  why,
  claim: "pipeline_source",
  value,
})

export const GITLAB_CASE: FamilyCase = {
  family: gitlab,
  config: {
    name: "gitlab",
    family: "gitlab",
    url: documented.iss,
    owners: new Map([["my-group", "72"]]),
    repositoryPolicies: false,
  },
  samples: [
    {
      name: "a job in a protected environment",
      claims: inEnvironment,
      identity: {
        ...unit,
        environment: "production",
        environmentProtected: true,
        ref: "refs/heads/main",
        refType: "branch",
        event: "push",
        actor: "sample-user",
        actorId: "1",
        runId: "574",
        runAttempt: "302",
        cautions: [],
      },
      derived: { outsider: false, interactive: false },
    },
    {
      name: "the job of the documentation, of a server before 18.4",
      claims: documented,
      identity: { ...unit, environment: "test-environment2", environmentProtected: false, cautions: [] },
    },
    {
      name: "a job of a subgroup's project",
      claims: {
        ...plain,
        namespace_id: "73",
        namespace_path: "my-group/sub.group",
        project_path: "my-group/sub.group/my_project",
        sub: "project_path:my-group/sub.group/my_project:ref_type:branch:ref:main",
      },
      identity: { unit: "my-group/sub.group/my_project", owner: "my-group/sub.group", ownerId: "73" },
    },
    {
      name: "a merge request's job in its own project",
      claims: { ...plain, pipeline_source: "merge_request_event" },
      identity: { ...unit, cautions: [cautionOf("merge_request_event")] },
      derived: outsider,
    },
    {
      name: "a fork's merge request: the fork's job, in another project",
      claims: fork,
      identity: {
        unitId: "4711",
        ownerId: "91",
        cautions: [
          cautionOf("merge_request_event"),
          { fact: "outsider", why: "it runs a fork's merge request in another project" },
        ],
      },
      derived: outsider,
    },
    {
      name: "an external pull request's job",
      claims: { ...plain, pipeline_source: "external_pull_request_event" },
      identity: { ...unit, cautions: [cautionOf("external_pull_request_event")] },
      derived: outsider,
    },
    {
      name: "a child pipeline's job, in its own project",
      claims: { ...plain, pipeline_source: "parent_pipeline" },
      identity: { ...unit, cautions: [] },
      derived: { outsider: false },
    },
    {
      name: "a child pipeline's job of a fork's merge request",
      claims: { ...fork, pipeline_source: "parent_pipeline" },
      identity: {
        unitId: "4711",
        cautions: [{ fact: "outsider", why: "it runs a fork's merge request in another project" }],
      },
      derived: outsider,
    },
    {
      name: "a child pipeline's job of a server that does not say in which project it runs",
      claims: { ...documented, pipeline_source: "parent_pipeline" },
      identity: {
        cautions: [
          cautionOf(
            "parent_pipeline",
            "this server does not say whether the parent pipeline runs a fork's merge request",
          ),
        ],
      },
      derived: outsider,
    },
    {
      name: "a job of a cause that is not known",
      claims: { ...plain, pipeline_source: "brand_new_event" },
      identity: {
        cautions: [cautionOf("brand_new_event", "this version does not know whether outsiders can cause it")],
      },
      derived: outsider,
    },
    {
      name: "a job with a customised sub, and no pipeline file in its project",
      claims: {
        ...plain,
        sub: "project_path:my-group/my-project:ref:main:environment_protected:true",
        ci_config_ref_uri: null,
        ci_config_sha: null,
        user_access_level: null,
      },
      identity: unit,
    },
    {
      name: "a job on a tag",
      claims: {
        ...plain,
        ref: "v1.0",
        ref_type: "tag",
        ref_path: "refs/tags/v1.0",
        sub: "project_path:my-group/my-project:ref_type:tag:ref:v1.0",
      },
      identity: { ...unit, ref: "refs/tags/v1.0", refType: "tag" },
    },
  ],
  refused: [
    ["a flag that is true and no text", { ref_protected: true }, "ref_protected must be a string"],
    ["a protected environment as a boolean", { environment_protected: true }, "environment_protected must be a string"],
    ["a flag in capitals", { environment_protected: "True" }, "environment_protected must be the text true or false"],
    ["an empty flag", { ref_protected: "" }, "ref_protected must be the text true or false"],
    [
      "a sub of another project",
      { sub: "project_path:evil/p:ref_type:branch:ref:main" },
      "sub and project_path disagree",
    ],
    [
      "a sub of another branch",
      { sub: "project_path:my-group/my-project:ref_type:branch:ref:mainx" },
      "sub and ref disagree",
    ],
    [
      "a sub of a tag of the branch's name",
      { sub: "project_path:my-group/my-project:ref_type:tag:ref:main" },
      "sub and ref_type disagree",
    ],
    [
      "a customised sub of another branch",
      { sub: "project_path:my-group/my-project:ref:other:ref_protected:true" },
      "sub and ref disagree",
    ],
    ["a sub without a project", { sub: "project_path" }, "sub and project_path disagree"],
    ["another group's path", { namespace_path: "evil" }, "two different groups"],
    ["the path of the group's parent", { namespace_path: "my" }, "two different groups"],
    ["a project in no group", { project_path: "my-project", sub: "" }, "project_path must be a group and a name"],
    [
      "a path with an empty part",
      { project_path: "my-group//x", namespace_path: "my-group/", sub: "" },
      "project_path",
    ],
    ["a path in Cyrillic", { project_path: "my-group/mу-project", sub: "" }, "project_path must be a group and a name"],
    ["a number for an id", { project_id: 20 }, "project_id must be a string"],
    ["a job in no project", { job_project_id: "" }, "job_project_id must be an id in decimal digits"],
    ["a leading zero", { project_id: "020" }, "project_id must be an id in decimal digits"],
    ["no job", { job_id: "" }, "job_id must be an id in decimal digits"],
    ["a runner's id as a text", { runner_id: "1" }, "runner_id must be a number"],
    ["a group that is no list", { groups_direct: "my-group" }, "groups_direct must be a list of strings"],
  ],
}

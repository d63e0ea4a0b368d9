import type { FamilySamples } from "../sample.ts"
import { JTI, REGISTERED } from "./registered.ts"

const PUSH = {
  ...REGISTERED,
  nbf: 1795299995,
  jti: JTI,
  project_path: "my-group/my-project",
  project_visibility: "private",
  user_login: "sample-user",
  user_id: "1",
  user_access_level: "developer",
  pipeline_source: "push",
  pipeline_id: "574",
  job_id: "302",
  ref: "main",
  ref_type: "branch",
  ref_protected: "true",
  sha: "714a629c0b401fdce83e847fc9589983fc6f46bc",
  ci_config_sha: "714a629c0b401fdce83e847fc9589983fc6f46bc",
  runner_id: 1,
  runner_environment: "gitlab-hosted",
} as const

const MERGE_REQUEST = {
  ...PUSH,
  pipeline_source: "merge_request_event",
  ref: "feature",
  ref_protected: "false",
} as const

/** Tokens of GitLab CI/CD. */
export const GITLAB_SAMPLES: FamilySamples = {
  family: "gitlab",
  samples: {
    "gitlab-branch": { summary: "a push to main, in no environment", claims: PUSH },
    "gitlab-tag": { summary: "a push of the tag v1.2.3", claims: { ...PUSH, ref: "v1.2.3", ref_type: "tag" } },
    "gitlab-environment": {
      summary: "a push to main, in the protected environment production",
      claims: {
        ...PUSH,
        environment: "production",
        environment_protected: "true",
        deployment_tier: "production",
        environment_action: "start",
      },
    },
    "gitlab-merge-request": { summary: "a merge request from a branch of the same project", claims: MERGE_REQUEST },
    "gitlab-fork-merge-request": {
      summary: "a merge request from a fork, which runs in the project it is for",
      claims: {
        ...MERGE_REQUEST,
        job_project_path: "their-group/their-project",
        job_project_id: "4242",
        job_namespace_path: "their-group",
        job_namespace_id: "4243",
      },
    },
  },
  follows: [
    ["ref_path", (read) => `refs/${read("ref_type") === "tag" ? "tags" : "heads"}/${read("ref")}`],
    ["job_project_path", (read) => read("project_path")],
    ["job_project_id", (read) => read("project_id")],
    ["job_namespace_path", (read) => read("namespace_path")],
    ["job_namespace_id", (read) => read("namespace_id")],
    ["ci_config_ref_uri", (read) => `gitlab.example.com/${read("project_path")}//.gitlab-ci.yml@${read("ref_path")}`],
    ["sub", (read) => `project_path:${read("project_path")}:ref_type:${read("ref_type")}:ref:${read("ref")}`],
  ],
  goesWith: new Map([["environment", ["environment_protected", "deployment_tier", "environment_action"]]]),
  // Only the project knows what else is protected. "false" is the assumption that gives no access.
  outdated: new Map([
    ["ref", { ref_protected: "false" }],
    ["environment", { environment_protected: "false" }],
  ]),
}

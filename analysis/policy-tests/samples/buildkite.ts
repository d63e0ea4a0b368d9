import type { Claims } from "../../../broker/core/identity.ts"
import type { FamilySamples } from "../sample.ts"
import { REGISTERED } from "./registered.ts"

const BUILD = {
  ...REGISTERED,
  nbf: 1795300000,
  pipeline: "my-org/my-pipeline",
  build_number: 42,
  build_branch: "main",
  build_commit: "714a629c0b401fdce83e847fc9589983fc6f46bc",
  build_source: "webhook",
  step_key: "deploy",
  job_id: "0184990a-477b-4fa8-9968-496074483cee",
  agent_id: "0184990a-4782-42b5-afc1-16715b10b8ff",
  runner_environment: "buildkite-hosted",
} as const

/** Tokens of Buildkite, as a job asks for them with the ids that policies need. */
export const BUILDKITE_SAMPLES: FamilySamples = {
  family: "buildkite",
  samples: {
    "buildkite-branch": { summary: "a build of main", claims: BUILD },
    "buildkite-tag": { summary: "a build of the tag v1.2.3", claims: { ...BUILD, build_tag: "v1.2.3" } },
  },
  follows: [
    ["pipeline_slug", (read) => read("pipeline").split("/")[1] ?? ""],
    [
      "sub",
      (read) => {
        const ref = read("build_tag") === "" ? `heads/${read("build_branch")}` : `tags/${read("build_tag")}`
        return `organization:${read("organization_slug")}:pipeline:${read("pipeline_slug")}:ref:refs/${ref}:commit:${read("build_commit")}:step:${read("step_key")}`
      },
    ],
  ],
  token: ({ pipeline: _, ...claims }: Claims): Claims => claims,
}

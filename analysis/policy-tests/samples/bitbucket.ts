import type { FamilySamples } from "../sample.ts"
import { REGISTERED } from "./registered.ts"

const STEP = {
  ...REGISTERED,
  branchName: "main",
  pipelineUuid: "{44444444-4444-4444-8444-444444444444}",
  pipelineRunUuid: "{55555555-5555-4555-8555-555555555555}",
  stepUuid: "{66666666-6666-4666-8666-666666666666}",
} as const

/** Tokens of steps of Bitbucket Pipelines. UUIDs stand in braces. */
export const BITBUCKET_SAMPLES: FamilySamples = {
  family: "bitbucket",
  samples: {
    "bitbucket-branch": { summary: "a step on main, in no deployment", claims: STEP },
    "bitbucket-deployment": {
      summary: "a step on main, in a deployment environment",
      claims: { ...STEP, deploymentEnvironmentUuid: "{77777777-7777-4777-8777-777777777777}" },
    },
  },
  follows: [
    [
      "sub",
      (read) =>
        [read("repositoryUuid"), read("deploymentEnvironmentUuid"), read("stepUuid")]
          .filter((part) => part !== "")
          .join(":"),
    ],
  ],
}

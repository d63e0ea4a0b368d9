import type { FamilySamples } from "../sample.ts"
import { JTI, REGISTERED } from "./registered.ts"

const RUN = {
  ...REGISTERED,
  exp: REGISTERED.iat + 3600,
  nbf: REGISTERED.iat,
  jti: JTI,
  callerType: "stack",
  spaceId: "legacy",
  runType: "TRACKED",
  runId: "01J0000000000000000000000A",
  scope: "write",
} as const

/** Tokens of runs of Spacelift. Their environment is the scope. */
export const SPACELIFT_SAMPLES: FamilySamples = {
  family: "spacelift",
  samples: {
    "spacelift-tracked": { summary: "a tracked run, which may write", claims: RUN },
    "spacelift-proposed": {
      summary: "a proposed run, which previews code of no tracked branch",
      claims: { ...RUN, runType: "PROPOSED", scope: "read" },
    },
    "spacelift-task": { summary: "a task: a command that a person types", claims: { ...RUN, runType: "TASK" } },
  },
  follows: [
    [
      "sub",
      (read) => `space:${read("spaceId")}:stack:${read("callerId")}:run_type:${read("runType")}:scope:${read("scope")}`,
    ],
  ],
}

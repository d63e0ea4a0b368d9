import { isSet } from "./source.ts"
import { fromVariable } from "./variable.ts"

/** Bitbucket Pipelines: one token a step (support.atlassian.com: integrate Pipelines with resource servers using OIDC). */
export const BITBUCKET = fromVariable({
  name: "bitbucket",
  title: "Bitbucket Pipelines",
  isHere: (environment) => isSet(environment, "BITBUCKET_BUILD_NUMBER"),
  variable: "BITBUCKET_STEP_OIDC_TOKEN",
  change: "Add `oidc: true` to the step in bitbucket-pipelines.yml.",
})

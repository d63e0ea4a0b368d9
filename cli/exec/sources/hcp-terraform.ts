import { isSet } from "./source.ts"
import { fromVariable } from "./variable.ts"

/** HCP Terraform: one token a run phase (developer.hashicorp.com: workload identity tokens). */
export const HCP_TERRAFORM = fromVariable({
  name: "hcp-terraform",
  title: "HCP Terraform",
  isHere: (environment) => isSet(environment, "TFC_RUN_ID"),
  variable: "TFC_WORKLOAD_IDENTITY_TOKEN",
  change:
    "Set the workspace's variable TFC_WORKLOAD_IDENTITY_AUDIENCE to the broker's audience; for a token with a tag, name its variable with --token-variable.",
  another:
    "set the workspace's variable TFC_WORKLOAD_IDENTITY_AUDIENCE_SECOND, and name TFC_WORKLOAD_IDENTITY_TOKEN_SECOND with --token-variable",
})

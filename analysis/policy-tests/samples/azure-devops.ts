import type { Claims } from "../../../broker/core/identity.ts"
import type { ClaimReader, FamilySamples } from "../sample.ts"
import { JTI, REGISTERED } from "./registered.ts"

const RUN = {
  ...REGISTERED,
  nbf: 1795300000,
  jti: JTI,
  aud: "api://AzureADTokenExchange",
  pipeline: "acme/Shop/deploy",
  rpo_id: "99999999-9999-4999-8999-999999999999",
  rpo_uri: "https://dev.azure.com/acme/Shop/_git/Shop",
  rpo_ver: "714a629c0b401fdce83e847fc9589983fc6f46bc",
  rpo_ref: "refs/heads/main",
  run_id: "574",
} as const

const partOfId = (at: number) => (read: ClaimReader) => read("pipeline_id").split("/")[at] ?? ""

/** Tokens of pipelines of Azure DevOps. */
export const AZURE_DEVOPS_SAMPLES: FamilySamples = {
  family: "azure-devops",
  samples: {
    "azure-devops-branch": { summary: "a run on main", claims: RUN },
    "azure-devops-pull-request": {
      summary: "a run of a pull request",
      claims: { ...RUN, rpo_ref: "refs/pull/7/merge" },
    },
  },
  follows: [
    ["prj_id", partOfId(0)],
    ["def_id", partOfId(1)],
    ["sub", (read) => `p://${read("pipeline")}`],
  ],
  token: ({ pipeline: _, pipeline_id: _id, ...claims }: Claims): Claims => claims,
}

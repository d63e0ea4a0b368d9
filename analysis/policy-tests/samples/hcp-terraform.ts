import type { Claims } from "../../../broker/core/identity.ts"
import type { FamilySamples } from "../sample.ts"
import { JTI, REGISTERED } from "./registered.ts"

const RUN = {
  ...REGISTERED,
  nbf: 1795300000,
  jti: JTI,
  workspace: "my-org/my-workspace",
  terraform_project_id: "prj-vegSA59s1XPwMr2t",
  terraform_project_name: "my-project",
  terraform_run_id: "run-X3n1AUXNGWbfECsJ",
} as const

/** Tokens of runs of HCP Terraform and Terraform Enterprise. Their environment is the phase. */
export const HCP_TERRAFORM_SAMPLES: FamilySamples = {
  family: "hcp-terraform",
  samples: {
    "hcp-terraform-apply": { summary: "an apply", claims: { ...RUN, terraform_run_phase: "apply" } },
    "hcp-terraform-plan": {
      summary: "a plan, which runs the code of pull requests",
      claims: { ...RUN, terraform_run_phase: "plan" },
    },
  },
  follows: [
    ["terraform_workspace_name", (read) => read("workspace").split("/")[1] ?? ""],
    [
      "terraform_full_workspace",
      (read) =>
        `organization:${read("terraform_organization_name")}:project:${read("terraform_project_name")}:workspace:${read("terraform_workspace_name")}`,
    ],
    ["sub", (read) => `${read("terraform_full_workspace")}:run_phase:${read("terraform_run_phase")}`],
  ],
  token: ({ workspace: _, ...claims }: Claims): Claims => claims,
}

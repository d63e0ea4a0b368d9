import { hcpTerraform } from "../../../../broker/issuers/hcp-terraform/family.ts"
import apply from "../../../vectors/claims/hcp-terraform-apply.json" with { type: "json" }
import plan from "../../../vectors/claims/hcp-terraform-plan.json" with { type: "json" }
import type { FamilyCase } from "./family-case.ts"

const WITHOUT_PROJECT = {
  sub: "organization:my-org:workspace:my-workspace:run_phase:apply",
  terraform_project_id: undefined,
  terraform_project_name: undefined,
  terraform_full_workspace: undefined,
}

export const HCP_TERRAFORM_CASE: FamilyCase = {
  family: hcpTerraform,
  config: {
    name: "terraform",
    family: "hcp-terraform",
    url: "https://app.terraform.io",
    owners: new Map([["my-org", "org-GRNbCjYNpBB6NEH9"]]),
    repositoryPolicies: false,
    maxTokenLifetimeSeconds: 24 * 3600,
  },
  samples: [
    {
      name: "an apply",
      claims: apply,
      identity: {
        unitKind: "workspace",
        unit: "my-org/my-workspace",
        unitId: "ws-mbsd5E3Ktt5Rg2Xm",
        owner: "my-org",
        ownerId: "org-GRNbCjYNpBB6NEH9",
        environment: "apply",
        ref: null,
        event: null,
        runId: "run-X3n1AUXNGWbfECsJ",
        runAttempt: "",
        cautions: [],
      },
      derived: { workspace: "my-org/my-workspace", outsider: false },
    },
    {
      name: "a plan, which runs the code of pull requests",
      claims: plan,
      identity: {
        environment: "plan",
        cautions: [{ fact: "outsider", why: "outsiders can cause it", claim: "terraform_run_phase", value: "plan" }],
      },
      derived: { outsider: true, interactive: false },
    },
    {
      name: "an apply that may take a day",
      claims: { ...apply, exp: apply.iat + 24 * 3600 },
      identity: { environment: "apply" },
    },
    {
      name: "an apply on an older server, which knows no projects",
      claims: { ...apply, ...WITHOUT_PROJECT },
      identity: { unit: "my-org/my-workspace", environment: "apply" },
    },
  ],
  refused: [
    ["of a stack", { terraform_workspace_id: undefined }, "only runs of workspaces have one"],
    ["without a phase", { terraform_run_phase: undefined }, "terraform_run_phase is missing"],
    ["in a phase that nobody knows", { terraform_run_phase: "test" }, "terraform_run_phase must be apply or plan"],
    ["in another phase than its subject", { terraform_run_phase: "plan" }, "sub and terraform_run_phase disagree"],
    ["of another workspace by name", { terraform_workspace_name: "prod" }, "terraform_workspace_name disagree"],
    ["of another organization by name", { terraform_organization_name: "x" }, "terraform_organization_name disagree"],
    ["of another project by name", { terraform_project_name: "Other" }, "sub and terraform_project_name disagree"],
    [
      "without a project that its subject names",
      { terraform_project_name: undefined },
      "terraform_project_name disagree",
    ],
    ["whose subject says nothing", { sub: "my-org" }, "sub must name organization, workspace and run phase"],
    [
      "whose workspace's id is a name",
      { terraform_workspace_id: "my-workspace" },
      "terraform_workspace_id must be an id",
    ],
    ["whose organization's id is a name", { terraform_organization_id: "my-org" }, "organization_id must be an id"],
    ["whose name has a slash", { terraform_workspace_name: "a/b" }, "terraform_workspace_name must be a name"],
  ],
}

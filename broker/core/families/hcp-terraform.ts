import { about, marked, tableOf } from "./claim-rows.ts"
import type { FamilyFacts } from "./family-facts.ts"

const workspace = about("unit", "always")
const job = about("job", "always")
/** A workspace can move to another project. Terraform Enterprise has projects since v202302-1. */
const project = about("setting", "by-some-issuers")

/** A plan runs the code of a pull request, and the providers that this code names. */
const PHASES = { apply: {}, plan: { outsiders: true } } as const

/**
 * What workload identity tokens of HCP Terraform and Terraform Enterprise say about a workspace's run. Source: HashiCorp's
 * "Workload identity", "Workspace run token structure". A token of a stack names no workspace.
 */
const CLAIMS = tableOf([
  job("sub", "a text made of other claims", { chosenBy: "administrator" }),
  workspace("workspace", "the organization's and the workspace's names, such as acme/network", { derived: true }),
  workspace("terraform_workspace_id", "the workspace's id", {
    remedy: "only runs of workspaces have one, not those of stacks",
  }),
  workspace("terraform_workspace_name", "the workspace's name"),
  workspace("terraform_organization_id", "the organization's id"),
  workspace("terraform_organization_name", "the organization's name"),
  project("terraform_project_id", "the id of the workspace's project"),
  project("terraform_project_name", "the name of the workspace's project", { chosenBy: "administrator" }),
  project("terraform_full_workspace", "the names of organization, project and workspace in one text", {
    chosenBy: "administrator",
  }),
  job("terraform_run_id", "the run's id"),
  job("terraform_run_phase", "whether the run plans or applies", marked(PHASES)),
])

export const HCP_TERRAFORM: FamilyFacts<"hcp-terraform"> = {
  name: "hcp-terraform",
  title: "HCP Terraform",
  unit: "workspace",
  claims: CLAIMS,
  roles: {
    unitId: "terraform_workspace_id",
    unit: "workspace",
    ownerId: "terraform_organization_id",
    owner: "terraform_organization_name",
    environment: "terraform_run_phase",
    runId: "terraform_run_id",
  },
  environmentName: { pattern: /^(?:plan|apply)$/, words: "an environment is the run's phase: plan or apply" },
  unitId: {
    pattern: /^ws-[A-Za-z0-9]{8,32}$/,
    words: 'a workspace\'s id begins with ws-, such as "ws-mbsd5E3Ktt5Rg2Xm"',
    longest: `ws-${"9".repeat(32)}`,
  },
  ownerId: {
    pattern: /^org-[A-Za-z0-9]{8,32}$/,
    words: 'an organization\'s id begins with org-, such as "org-GRNbCjYNpBB6NEH9"',
  },
  unitName: {
    pattern: /^[A-Za-z0-9_-]+\/[A-Za-z0-9_*-]+$/,
    words: "a workspace is written organization/workspace; stars are allowed only after the organization",
  },
  patterns: true,
  findId: (workspace) => {
    const [organization = "", name = ""] = workspace.split("/")
    return `curl -H "Authorization: Bearer $TFE_TOKEN" https://app.terraform.io/api/v2/organizations/${organization}/workspaces/${name} | jq -r .data.id`
  },
  // A token lives as long as the phase may take.
  maxTokenLifetimeSeconds: 24 * 3600,
  jti: "always",
  audience: "setting",
}

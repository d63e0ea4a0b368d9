import { HCP_TERRAFORM } from "../../core/families/hcp-terraform.ts"
import type { Claims } from "../../core/identity.ts"
import { ok } from "../../core/result.ts"
import { disagree, faultOfClosed, faultOfNames, text } from "../claim-checks.ts"
import type { IssuerFamily } from "../family.ts"

/**
 * HCP Terraform and Terraform Enterprise: workload identity tokens of a workspace's runs.
 *
 * Source: HashiCorp's "Workload identity". One issuer serves all organizations of HCP Terraform.
 */
export const hcpTerraform: IssuerFamily = {
  facts: HCP_TERRAFORM,
  algorithms: ["RS256"],
  keys: { by: "discovery" },
  derive: (claims) =>
    ok({
      workspace: `${text(claims, "terraform_organization_name")}/${text(claims, "terraform_workspace_name")}`,
    }),
  check: (claims) =>
    faultOfNames(claims, "terraform_organization_name", "terraform_workspace_name") ??
    faultOfClosed(HCP_TERRAFORM, claims, "terraform_run_phase") ??
    faultOfSubject(claims),
}

/**
 * The subject repeats the names and the phase: `organization:O:project:P:workspace:W:run_phase:F`. Terraform Enterprise
 * before it had projects leaves out the project.
 */
function faultOfSubject(claims: Claims): string | null {
  const parts = /^organization:([^:]+)(?::project:([^:]+))?:workspace:([^:]+):run_phase:([^:]+)$/.exec(
    text(claims, "sub"),
  )
  if (!parts) return "the claim sub must name organization, workspace and run phase"
  const [, organization, project, workspace, phase] = parts
  if (organization !== claims["terraform_organization_name"]) return disagree("sub", "terraform_organization_name")
  if (project !== (claims["terraform_project_name"] ?? undefined)) return disagree("sub", "terraform_project_name")
  if (workspace !== claims["terraform_workspace_name"]) return disagree("sub", "terraform_workspace_name")
  return phase === claims["terraform_run_phase"] ? null : disagree("sub", "terraform_run_phase")
}

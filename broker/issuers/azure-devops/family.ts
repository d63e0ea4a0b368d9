import { AZURE_DEVOPS } from "../../core/families/azure-devops.ts"
import type { Claims } from "../../core/identity.ts"
import type { IssuerConfig } from "../../core/policy/model.ts"
import { fail, ok, type Result } from "../../core/result.ts"
import { faultOfEmpty, faultOfIds, text } from "../claim-checks.ts"
import type { IssuerFamily } from "../family.ts"

/**
 * Azure DevOps: a pipeline's own token, from `System.OidcRequestUri`. Every organization is an issuer of its own, with the
 * organization's id in its URL; all of them have the same keys, so `iss` alone says whose token it is.
 *
 * Source: the REST API "Oidctoken - Create", the issuer's discovery document, and observed tokens.
 */
export const azureDevops: IssuerFamily = {
  facts: AZURE_DEVOPS,
  algorithms: ["RS256"],
  keys: { by: "discovery" },
  derive,
  check: faultOfRun,
}

/** Azure DevOps allows spaces and letters of every script in names, but no slash. */
const SUBJECT = /^p:\/\/([^/]+)\/([^/]+)\/([^/]+)$/

function derive(claims: Claims): Result<Claims, string> {
  const subject = text(claims, "sub")
  if (subject.startsWith("sc://")) {
    return fail(
      "the claim sub names a service connection, which does not say which pipeline runs: ask for the pipeline's own token, without serviceConnectionId",
    )
  }
  const [, organization, project, name] = SUBJECT.exec(subject) ?? []
  if (organization === undefined) {
    return fail("the claim sub must be p:// with the names of organization, project and pipeline")
  }
  return ok({
    organization,
    pipeline: `${organization}/${project}/${name}`,
    pipeline_id: `${text(claims, "prj_id")}/${text(claims, "def_id")}`,
  })
}

function faultOfRun(claims: Claims, issuer: IssuerConfig): string | null {
  if (issuer.url.slice(issuer.url.lastIndexOf("/") + 1) !== text(claims, "org_id")) {
    return "the claims iss and org_id name two different organizations"
  }
  return faultOfEmpty(claims, "rpo_ref") ?? faultOfIds(claims, ["run_id"])
}

import { BITBUCKET } from "../../core/families/bitbucket.ts"
import { BRACED_UUID } from "../../core/families/id-forms.ts"
import type { Claims } from "../../core/identity.ts"
import type { IssuerConfig } from "../../core/policy/model.ts"
import { ok } from "../../core/result.ts"
import { disagree, text } from "../claim-checks.ts"
import type { IssuerFamily } from "../family.ts"

/**
 * Bitbucket Pipelines: the token of a step. Every workspace is an issuer of its own, with the workspace's slug in its URL.
 *
 * Source: Atlassian's "Integrate Pipelines with resource servers using OIDC". The discovery document is there once a first
 * pipeline of the workspace has run with `oidc`.
 */
export const bitbucket: IssuerFamily = {
  facts: BITBUCKET,
  algorithms: ["RS256"],
  keys: { by: "discovery" },
  derive: (_, issuer) => {
    const workspace = workspaceIn(issuer)
    return ok(workspace === null ? {} : { workspace })
  },
  check: (claims, issuer) => faultOfIds(claims) ?? faultOfWorkspace(claims, issuer) ?? faultOfSubject(claims),
}

const ID_CLAIMS = ["repositoryUuid", "workspaceUuid", "pipelineUuid", "stepUuid"] as const

function faultOfIds(claims: Claims): string | null {
  for (const name of ID_CLAIMS) {
    if (!BRACED_UUID.pattern.test(text(claims, name))) return `the claim ${name} must be a UUID in braces`
  }
  const environment = claims["deploymentEnvironmentUuid"]
  if (environment === undefined || BRACED_UUID.pattern.test(String(environment))) return null
  return "the claim deploymentEnvironmentUuid must be a UUID in braces, or be left out"
}

/**
 * An issuer speaks for its own workspace only. The URL has the slug and the token has the id; the organisation file knows
 * that they belong together when it lists the workspace under its slug.
 */
function faultOfWorkspace(claims: Claims, issuer: IssuerConfig): string | null {
  const listed = issuer.owners.get(workspaceIn(issuer) ?? "")
  if (listed === undefined || listed === claims["workspaceUuid"]) return null
  return "the claim workspaceUuid names another workspace than the issuer's"
}

const workspaceIn = ({ url }: IssuerConfig) => /\/workspaces\/([A-Za-z0-9_.-]+)\//.exec(url)?.[1] ?? null

/** The subject repeats the ids: `{repository}:{step}`, with `{environment}:` between them in a deployment. */
function faultOfSubject(claims: Claims): string | null {
  const environment = text(claims, "deploymentEnvironmentUuid")
  const [repository, ...rest] = text(claims, "sub").split(":")
  if (repository !== claims["repositoryUuid"]) return disagree("sub", "repositoryUuid")
  const expected = [...(environment === "" ? [] : [environment]), text(claims, "stepUuid")]
  return rest.join(":") === expected.join(":") ? null : disagree("sub", "deploymentEnvironmentUuid or stepUuid")
}

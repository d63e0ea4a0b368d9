import { CIRCLECI } from "../../core/families/circleci.ts"
import type { Claims } from "../../core/identity.ts"
import { disagree, text } from "../claim-checks.ts"
import type { IssuerFamily } from "../family.ts"

/**
 * CircleCI. An organisation's issuer is `https://oidc.circleci.com/org/<id>`. The root issuer, `https://oidc.circleci.com`,
 * vouches for the jobs of every organisation: there only `owners` in the organisation file says whose they may be.
 */
export const circleci: IssuerFamily = {
  facts: CIRCLECI,
  algorithms: ["RS256"],
  keys: { by: "discovery" },
  check: faultOfJob,
}

const ORG = "oidc.circleci.com/org-id"
const PROJECT = "oidc.circleci.com/project-id"
/** A lease belongs to them. */
const JOB = ["oidc.circleci.com/pipeline-id", "oidc.circleci.com/job-id"] as const

const ORG_ISSUER = /\/org\/([^/]+)\/?$/
const SUBJECT = /^org\/([^/]*)\/project\/([^/]*)\//

function faultOfJob(claims: Claims): string | null {
  const [, issuersOrg] = ORG_ISSUER.exec(text(claims, "iss")) ?? []
  if (issuersOrg !== undefined && issuersOrg !== claims[ORG]) return disagree("iss", ORG)
  for (const name of JOB) {
    if (!CIRCLECI.unitId.pattern.test(text(claims, name))) return `the claim ${name} must be a UUID in small letters`
  }
  const [, org, project] = SUBJECT.exec(text(claims, "sub")) ?? []
  if (org !== undefined && org !== claims[ORG]) return disagree("sub", ORG)
  if (project !== undefined && project !== claims[PROJECT]) return disagree("sub", PROJECT)
  return null
}

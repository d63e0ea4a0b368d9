import { SEMAPHORE } from "../../core/families/semaphore.ts"
import type { Claims } from "../../core/identity.ts"
import { disagree, faultOfClosed, faultOfEmpty, text } from "../claim-checks.ts"
import type { IssuerFamily } from "../family.ts"

/**
 * Semaphore: the token of a job. Every organization is an issuer of its own.
 *
 * Source: Semaphore's "OIDC Tokens", and its source code. An organization can leave claims out of its tokens; those that
 * say whose job it is, and whether outsiders or a person's shell are at work, must be in.
 */
export const semaphore: IssuerFamily = {
  facts: SEMAPHORE,
  algorithms: ["RS256"],
  keys: { by: "discovery" },
  check: (claims) =>
    faultOfClosed(SEMAPHORE, claims, "job_type", "ref_type") ??
    faultOfEmpty(claims, "job_id") ??
    faultOfSubject(claims),
}

/** The subject repeats the claims: `org:O:project:ID:repo:R:ref_type:T:ref:REF`. */
function faultOfSubject(claims: Claims): string | null {
  const parts = /^org:[^:]*:project:([^:]*):repo:.*:ref_type:([^:]*):ref:([^:]*)$/.exec(text(claims, "sub"))
  if (!parts) return "the claim sub must name organization, project, repository and ref"
  const [, project, type, ref] = parts
  if (project !== claims["prj_id"]) return disagree("sub", "prj_id")
  if (type !== claims["ref_type"]) return disagree("sub", "ref_type")
  return ref === claims["ref"] ? null : disagree("sub", "ref")
}
